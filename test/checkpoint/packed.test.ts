import { textsOf } from "#shared/notes.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { KeystoneError } from "#shared/errors.ts";
import { PACKED_MODULE, packedFolder } from "../support/packedFolder.ts";
import { halves, longs, words } from "../support/packedParts.ts";
import type { TensorSpec } from "../support/safetensorsBytes.ts";

const GPTQ = { quant_method: "gptq", bits: 4, checkpoint_format: "gptq_v2" };
const AWQ = { quant_method: "awq", bits: 4, version: "gemm" };
const CT = {
  quant_method: "compressed-tensors",
  format: "pack-quantized",
  config_groups: { group_0: { targets: ["Linear"], weights: { num_bits: 4, type: "int" } } },
};
/** 8 rows of 16 columns in two groups. */
const GPTQ_PARTS = {
  qweight: words([2, 8]),
  qzeros: words([2, 1]),
  scales: halves([2, 8]),
  g_idx: words([16], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]),
};
const AWQ_PARTS = { qweight: words([16, 1]), qzeros: words([2, 1]), scales: halves([2, 8]) };
const CT_PARTS = {
  weight_packed: words([8, 2]),
  weight_scale: halves([8, 2]),
  weight_shape: longs([8n, 16n]),
  weight_zero_point: words([1, 2]),
};

type Parts = Record<string, TensorSpec>;

/** Opens, reads and closes. */
async function readModule(folder: string): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return await checkpoint.read(`${PACKED_MODULE}.weight`);
  } finally {
    await checkpoint.close();
  }
}

const without = (parts: Parts, name: string): Parts =>
  Object.fromEntries(Object.entries(parts).filter(([key]) => key !== name));

describe("a packed checkpoint", () => {
  it("has the names, shapes and types of the model that was packed, and reads by range", async () => {
    for (const [parts, config, scheme] of [
      [GPTQ_PARTS, GPTQ, "GPTQ int4, group 8"],
      [AWQ_PARTS, AWQ, "AWQ int4, group 8"],
      [CT_PARTS, CT, "compressed-tensors int4, group 8, asymmetric"],
    ] as const) {
      const checkpoint = await openCheckpoint(await packedFolder(parts, config));
      const [info, ...others] = checkpoint.tensors.values();
      expect(others).toEqual([]);
      expect(info).toMatchObject({
        name: `${PACKED_MODULE}.weight`,
        shape: [8, 16],
        dtype: "F16",
        parameters: 128,
        role: "mlp",
        layer: 0,
        linear: true,
        packed: { scheme },
      });
      expect(checkpoint.config).toEqual({ model_type: "llama" });
      const whole = await checkpoint.readBytes(info.name);
      expect(whole.byteLength).toBe(256);
      expect(await checkpoint.readBytes(info.name, 50, 131)).toEqual(whole.slice(50, 131));
      await expect(checkpoint.readRows(info.name, [8])).rejects.toMatchObject({
        code: "checkpoint/no-such-row",
      });
      const part = `${PACKED_MODULE}.${Object.keys(parts)[0]}`;
      await expect(checkpoint.readBytes(part)).rejects.toMatchObject({ code: "checkpoint/no-such-tensor" });
      await checkpoint.close();
    }
  });

  it("GPTQ: columns may belong to groups in any order (desc_act)", async () => {
    const scales = {
      ...halves([2, 8]),
      data: new Uint8Array(new Float16Array(16).fill(1, 0, 8).fill(4, 8).buffer),
    };
    const mixed = [1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0];
    const folder = await packedFolder(
      {
        ...GPTQ_PARTS,
        qweight: words([2, 8], Array<number>(16).fill(0x33333333)),
        scales,
        g_idx: words([16], mixed),
      },
      { ...GPTQ, desc_act: true },
    );
    const row = (await readModule(folder)).subarray(0, 16);
    expect(Array.from(row)).toEqual(mixed.map((group) => (group === 1 ? 12 : 3)));
  });

  it("GPTQ: settings may lie in quantize_config.json, and groups may follow each other without g_idx", async () => {
    const folder = await packedFolder(without(GPTQ_PARTS, "g_idx"), undefined);
    await writeFile(
      join(folder, "quantize_config.json"),
      JSON.stringify({ bits: 4, group_size: 8, desc_act: false }),
    );
    // version 1 says: zero points less one
    expect(Array.from((await readModule(folder)).subarray(0, 2))).toEqual([-1, -1]);
  });

  it("compressed-tensors: bytes (int-quantized), one scale a row, keep their signs", async () => {
    const weight: TensorSpec = { dtype: "I8", shape: [2, 3], data: new Uint8Array([1, 255, 128, 127, 0, 2]) };
    const config = {
      ...CT,
      format: "int-quantized",
      config_groups: { a: { weights: { num_bits: 8, type: "int" }, input_activations: { num_bits: 8 } } },
    };
    const folder = await packedFolder({ weight, weight_scale: halves([2, 1], 0.5) }, config);
    expect(Array.from(await readModule(folder))).toEqual([0.5, -0.5, -64, 63.5, 0, 1]);
    const checkpoint = await openCheckpoint(folder);
    expect(textsOf(checkpoint.notes).join("\n")).toMatch(/also quantize activations/);
    await checkpoint.close();
  });

  it("is computed in BF16 where its config says so: scales are rounded first, as loaders do", async () => {
    const parts = {
      ...AWQ_PARTS,
      qweight: words([16, 1], Array<number>(16).fill(0x33333333)),
      scales: halves([2, 8], 1.001),
    };
    const folder = await packedFolder(parts, AWQ, { torch_dtype: "bfloat16" });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.tensors.get(`${PACKED_MODULE}.weight`)?.dtype).toBe("BF16");
    expect((await checkpoint.read(`${PACKED_MODULE}.weight`))[0]).toBe(3);
    await checkpoint.close();
  });
});

describe("a packed checkpoint is refused where its parts do not belong together:", () => {
  it.each<[string, Parts, unknown, RegExp]>([
    ["a part that is missing", without(GPTQ_PARTS, "scales"), GPTQ, /scales.*is missing/],
    ["codes of another type", { ...GPTQ_PARTS, qweight: halves([2, 8]) }, GPTQ, /stored as F16 and not I32/],
    ["codes that are no matrix", { ...AWQ_PARTS, qweight: words([16]) }, AWQ, /shape \[16\]/],
    ["a width that is none", { ...GPTQ_PARTS, g_idx: words([90]) }, GPTQ, /2 words for 90 weights.*no width/],
    ["scales of other rows", { ...AWQ_PARTS, scales: halves([2, 9]) }, AWQ, /needs \[any, 8\]/],
    ["no group at all", { ...AWQ_PARTS, scales: halves([0, 8]) }, AWQ, /0 groups/],
    ["groups that do not divide", { ...AWQ_PARTS, scales: halves([3, 8]) }, AWQ, /3 groups for 16 columns/],
    ["zero points of other groups", { ...GPTQ_PARTS, qzeros: words([3, 1]) }, GPTQ, /qzeros.*needs \[2, 1\]/],
    [
      "a group that is not there",
      { ...GPTQ_PARTS, g_idx: words([16], [2]) },
      GPTQ,
      /column 0 into group 2 of 2/,
    ],
    ["a negative group", { ...GPTQ_PARTS, g_idx: words([16], [0, -1]) }, GPTQ, /column 1 into group -1/],
    ["a shape of other rows", { ...CT_PARTS, weight_shape: longs([9n, 16n]) }, CT, /says \[9, 16\].*8 rows/],
    [
      "a shape past all bounds",
      { ...CT_PARTS, weight_shape: longs([8n, 2n ** 62n]) },
      CT,
      /4611686018427387904/,
    ],
    ["a negative shape", { ...CT_PARTS, weight_shape: longs([8n, -16n]) }, CT, /-16/],
    [
      "a width that config.json does not name",
      { ...CT_PARTS, weight_packed: words([8, 4]) },
      CT,
      /4 words for 16 weights/,
    ],
    ["a weight that is stored twice", { ...CT_PARTS, weight: halves([8, 16]) }, CT, /second time/],
  ])("%s", async (_, parts, config, sentence) => {
    const refused = readModule(await packedFolder(parts, config));
    await expect(refused).rejects.toMatchObject({ code: "checkpoint/bad-packing" });
    await expect(refused).rejects.toThrow(sentence);
  });

  it("fuzzed: whatever the config and the parts are, it opens, or says why not in a sentence of its own", async () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const config = fc.oneof(
      fc.constantFrom(GPTQ, AWQ, CT),
      fc.record({
        quant_method: fc.constantFrom("gptq", "awq", "compressed-tensors", "?"),
        bits: json,
        config_groups: json,
        checkpoint_format: json,
        version: json,
      }),
      json,
    );
    const spec = fc
      .record({
        dtype: fc.constantFrom("I32", "F16", "I64", "I8", "BF16"),
        shape: fc.array(fc.nat(9), { maxLength: 3 }),
        seed: fc.nat(255),
      })
      .map(({ dtype, shape, seed }): TensorSpec => {
        const width = { I32: 4, F16: 2, I64: 8, I8: 1, BF16: 2 }[dtype] ?? 1;
        const bytes = shape.reduce((product, size) => product * size, width);
        return { dtype, shape, data: new Uint8Array(bytes).fill(seed) };
      });
    const names = [
      "qweight",
      "qzeros",
      "scales",
      "g_idx",
      "weight",
      "weight_packed",
      "weight_scale",
      "weight_shape",
      "weight_zero_point",
    ];
    const base = fc.constantFrom<Parts>({}, GPTQ_PARTS, AWQ_PARTS, CT_PARTS);
    await fc.assert(
      fc.asyncProperty(
        config,
        base,
        fc.dictionary(fc.constantFrom(...names), spec, { maxKeys: 3 }),
        async (settings, parts, damage) => {
          const all = { other: halves([1]), ...parts, ...damage };
          try {
            const checkpoint = await openCheckpoint(await packedFolder(all, settings));
            for (const { name, shape, packed } of checkpoint.tensors.values())
              if (packed && shape.length === 2) await checkpoint.read(name);
            await checkpoint.close();
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(KeystoneError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
