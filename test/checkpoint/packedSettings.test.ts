import { textsOf } from "#shared/notes.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { unusedGroups } from "#shared/inventory.ts";
import { KeystoneError } from "#shared/errors.ts";
import { bench, exportTo } from "../export/exporting.ts";
import { PACKED_MODULE, packedFolder } from "../support/packedFolder.ts";
import { halves, longs, words } from "../support/packedParts.ts";
import type { TensorSpec } from "../support/safetensorsBytes.ts";
import { writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";

/** 16 rows of 48 columns in groups of 32: the last has 16. Every code is 9, every scale 1. */
const NINES = 0x99999999;
const filled = (shape: number[], word: number): TensorSpec =>
  words(shape, Array<number>(shape.reduce((product, size) => product * size, 1)).fill(word));
const GPTQ_PARTS = {
  qweight: filled([6, 16], NINES),
  qzeros: filled([2, 2], 0x77777777),
  scales: halves([2, 16]),
};
const AWQ_PARTS = {
  qweight: filled([48, 2], NINES),
  qzeros: filled([2, 2], 0x88888888),
  scales: halves([2, 16]),
};
const CT_PARTS = {
  weight_packed: filled([16, 6], NINES),
  weight_scale: halves([16, 2]),
  weight_shape: longs([16n, 48n]),
};
const GPTQ = { quant_method: "gptq", bits: 4, group_size: 32, desc_act: false, sym: true };
const CT = {
  format: "pack-quantized",
  config_groups: {
    group_0: { targets: ["Linear"], weights: { num_bits: 4, strategy: "group", group_size: 32 } },
  },
};
/** What opens as a Llama as far as its config goes. */
const LLAMA = {
  ...{ hidden_size: 48, intermediate_size: 48, num_hidden_layers: 1, num_attention_heads: 2 },
  ...{ vocab_size: 16, max_position_embeddings: 64, rms_norm_eps: 1e-5 },
};

async function opened(folder: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

/** Every code less its zero point is 1 in these modules. */
async function expectOnes(checkpoint: Checkpoint): Promise<void> {
  expect(new Set(await checkpoint.read(`${PACKED_MODULE}.weight`))).toEqual(new Set([1]));
}

function refusal(work: () => unknown): KeystoneError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof KeystoneError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was refused");
}

const schemeOf = ({ tensors }: Checkpoint): string | undefined =>
  tensors.get(`${PACKED_MODULE}.weight`)?.packed?.scheme;

describe("how weights are packed is read", () => {
  it("from AutoAWQ's quant_config.json, group size included", async () => {
    const settings = { zero_point: true, q_group_size: 32, w_bit: 4, version: "GEMM" };
    const checkpoint = await opened(
      await packedFolder(AWQ_PARTS, undefined, {}, { "quant_config.json": settings }),
    );
    expect(schemeOf(checkpoint)).toBe("AWQ int4, group 32");
    await expectOnes(checkpoint);
  });

  it("from AutoGPTQ's quantize_config.json, group size included", async () => {
    const settings = { bits: 4, group_size: 32, desc_act: false, sym: true, damp_percent: 0.01 };
    const checkpoint = await opened(
      await packedFolder(GPTQ_PARTS, undefined, {}, { "quantize_config.json": settings }),
    );
    expect(schemeOf(checkpoint)).toBe("GPTQ int4, group 32");
    await expectOnes(checkpoint);
  });

  it("from compression_config, as compressed-tensors first called it, under its first name too", async () => {
    for (const settings of [CT, { ...CT, quant_method: "sparseml" }]) {
      const checkpoint = await opened(
        await packedFolder(CT_PARTS, undefined, { compression_config: settings }),
      );
      expect(schemeOf(checkpoint)).toBe("compressed-tensors int4, group 32, symmetric");
      expect(checkpoint.config).toEqual({ model_type: "llama" });
      await expectOnes(checkpoint);
    }
  });

  it("from the file beside it where quantization_config is empty", async () => {
    const checkpoint = await opened(await packedFolder(GPTQ_PARTS, {}, {}, { "quantize_config.json": GPTQ }));
    await expectOnes(checkpoint);
  });

  it("and a group size that columns ÷ groups does not give is the config's, also beside g_idx", async () => {
    const index = words(
      [48],
      Array.from({ length: 48 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    );
    const checkpoint = await opened(
      await packedFolder({ ...GPTQ_PARTS, g_idx: index }, { ...GPTQ, desc_act: true }),
    );
    expect(schemeOf(checkpoint)).toBe("GPTQ int4, group 32");
    expect(textsOf(checkpoint.notes).join(" ")).not.toMatch(/g_idx/);
  });
});

describe("a packing that the files do not explain is refused by its name:", () => {
  it.each<[string, Record<string, TensorSpec>, object, RegExp, RegExp]>([
    [
      "GPTQ",
      GPTQ_PARTS,
      {},
      /packed as GPTQ \(.*qweight\), and no file of it says how/,
      /quantize_config.json/,
    ],
    ["AWQ", AWQ_PARTS, {}, /packed as AWQ/, /quant_config.json/],
    ["compressed-tensors", CT_PARTS, {}, /packed by compressed-tensors/, /config.json of its source/],
    [
      "MLX",
      {
        weight: { ...filled([16, 6], NINES), dtype: "U32" },
        scales: halves([16, 2]),
        biases: halves([16, 2]),
      },
      {},
      /packed by MLX/,
      /original/,
    ],
    [
      "MLX's field of old",
      {
        weight: { ...filled([16, 6], NINES), dtype: "U32" },
        scales: halves([16, 2]),
        biases: halves([16, 2]),
      },
      { quantization: { group_size: 32, bits: 4, mode: "mxfp4" } },
      /packed by MLX in the mode "mxfp4", which Keystone does not read/,
      /original/,
    ],
    [
      "MLX's fields of today",
      {
        weight: { ...filled([16, 6], NINES), dtype: "U32" },
        scales: halves([16, 2]),
        biases: halves([16, 2]),
      },
      {
        quantization: { group_size: 32, bits: 7, mode: "affine" },
        quantization_config: { group_size: 32, bits: 7, mode: "affine" },
      },
      /packed by MLX with 7 bits, which Keystone does not read/,
      /original/,
    ],
    [
      "settings in a file of their own that Keystone does not read",
      GPTQ_PARTS,
      {},
      /packed as GPTQ "marlin"/,
      /original/,
    ],
  ])("%s", async (name, parts, config, sentence, next) => {
    const files = name.startsWith("settings")
      ? { "quantize_config.json": { ...GPTQ, checkpoint_format: "marlin" } }
      : {};
    const checkpoint = await opened(await packedFolder(parts, undefined, { ...LLAMA, ...config }, files));
    // it opens, so that it can be inspected
    expect(checkpoint.tensors.size).toBe(Object.keys(parts).length);
    const refused = refusal(() => architectureOf(checkpoint));
    expect(refused.code).toBe("architecture/quantized");
    expect(refused.message).toMatch(sentence);
    expect(refused.next).toMatch(next);
  });

  it("another program's field that is called quantization says nothing of a packing", async () => {
    const folder = await writeSyntheticCheckpoint({ config: { quantization: "none" } });
    const checkpoint = await opened(folder);
    expect(architectureOf(checkpoint).facts.layers).toBe(2);
    expect(textsOf(checkpoint.notes)).toEqual([]);
  });
});

describe("settings of a packing that no tensor has", () => {
  it.each<[string, unknown]>([
    ["bitsandbytes", { quant_method: "bitsandbytes", load_in_4bit: true, bnb_4bit_quant_type: "nf4" }],
    ["bitsandbytes", { load_in_8bit: true }],
    ["fp8", { quant_method: "fp8", activation_scheme: "dynamic" }],
    ["gptq", { quant_method: "gptq", bits: 4 }],
    ["", {}],
  ])("are ignored with a note: %s", async (method, quantization_config) => {
    const folder = await writeSyntheticCheckpoint({ storage: "F16", config: { quantization_config } });
    const checkpoint = await opened(folder);
    expect(checkpoint.config).not.toHaveProperty("quantization_config");
    expect(checkpoint.packing).toBeUndefined();
    expect(architectureOf(checkpoint).facts.layers).toBe(2);
    const named = method === "" ? "" : ` (${method})`;
    expect(textsOf(checkpoint.notes)).toEqual([
      expect.stringContaining(`quantization_config of config.json${named} is ignored: no tensor`),
    ]);
    expect(checkpoint.inventory).toContainEqual({
      ...{ name: "quantization_config", kind: "config" },
      notUsedBecause: { code: "not-packed", text: "no tensor of this checkpoint is packed" },
    });
  });

  it("do not leave with an export, whose loaders would follow them", async () => {
    const settings = { quantization_config: { load_in_8bit: true } };
    const own = await bench({ storage: "F16", config: settings });
    const { out } = await exportTo(own);
    const config: unknown = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
    expect(config).not.toHaveProperty("quantization_config");
    expect(config).toMatchObject({ model_type: "llama", hidden_size: 16 });
    expect((await opened(out)).notes).toEqual([]);
  });

  it("are followed where a single tensor is packed so: a method that is not read is refused", async () => {
    const parts: Record<string, TensorSpec> = {
      weight: { dtype: "F8_E4M3", shape: [4, 4], data: new Uint8Array(16) },
      weight_scale_inv: halves([1, 1]),
    };
    const checkpoint = await opened(await packedFolder(parts, { quant_method: "eetq" }, LLAMA));
    expect(() => architectureOf(checkpoint)).toThrow(/packed by the method "eetq"/);
  });

  it("are refused where scales lie beside weights that are not packed", async () => {
    const parts = { weight: halves([16, 48]), weight_scale: halves([16, 1]) };
    const folder = await packedFolder(parts, { quant_method: "compressed-tensors", ...CT }, LLAMA);
    await expect(openCheckpoint(folder)).rejects.toThrow(
      /weight_scale.*belongs to no module that is packed as/,
    );
  });
});

describe("a packed checkpoint whose files contradict each other", () => {
  it("tells which version its zero points are, and what loaders make of them", async () => {
    const parts = { ...GPTQ_PARTS, qzeros: filled([2, 2], 0x88888888) };
    const checkpoint = await opened(await packedFolder(parts, GPTQ));
    await expectOnes(checkpoint);
    expect(textsOf(checkpoint.notes).join(" ")).toMatch(
      /zero points of model.layers.0.mlp.down_proj are stored as version 2.*sym: true a zero point is 8/,
    );
  });

  it("takes zero points that are not all alike as its version has them", async () => {
    const parts = { ...GPTQ_PARTS, qzeros: filled([2, 2], 0x88888878) };
    const checkpoint = await opened(await packedFolder(parts, GPTQ));
    const weights = await checkpoint.read(`${PACKED_MODULE}.weight`);
    // a stored 8 is a zero point of 9, a stored 7 one of 8
    expect(new Set(weights.subarray(0, 48))).toEqual(new Set([0]));
    expect(new Set(weights.subarray(48, 96))).toEqual(new Set([1]));
    expect(textsOf(checkpoint.notes).join(" ")).not.toMatch(/zero points/);
  });

  it("says that g_idx was never filled, and refuses it where the order of columns is lost", async () => {
    const parts = { ...GPTQ_PARTS, g_idx: words([48]) };
    const checkpoint = await opened(await packedFolder(parts, GPTQ));
    expect(textsOf(checkpoint.notes).join(" ")).toMatch(
      /g_idx of .* holds nothing but zeros beside several groups/,
    );
    expect(unusedGroups(checkpoint.inventory)).toMatchObject([
      { code: "empty-index", names: [`${PACKED_MODULE}.g_idx`] },
    ]);
    const ordered = packedFolder(parts, { ...GPTQ, desc_act: true });
    await expect(openCheckpoint(await ordered)).rejects.toThrow(
      /puts all 48 columns into the first of 2 groups, though desc_act/,
    );
  });

  it("says where g_idx orders columns though desc_act is false", async () => {
    const order = Array.from({ length: 48 }, (_, i) => (i < 16 ? 1 : 0));
    const checkpoint = await opened(await packedFolder({ ...GPTQ_PARTS, g_idx: words([48], order) }, GPTQ));
    expect(textsOf(checkpoint.notes).join(" ")).toMatch(/another order than their groups'.*It is followed/);
  });

  it.each<[string, Record<string, TensorSpec>, object, RegExp]>([
    [
      "GPTQ",
      GPTQ_PARTS,
      { ...GPTQ, group_size: 16 },
      /2 groups for 48 columns, and its config names groups of 16 columns/,
    ],
    ["GPTQ, a whole row", GPTQ_PARTS, { ...GPTQ, group_size: -1 }, /names groups of a whole row/],
    ["AWQ", AWQ_PARTS, { quant_method: "awq", group_size: 16 }, /names groups of 16 columns/],
    [
      "compressed-tensors",
      CT_PARTS,
      {
        ...CT,
        config_groups: { a: { weights: { num_bits: 4, strategy: "group", group_size: 16 } } },
      },
      /names groups of 16 columns/,
    ],
    [
      "two group sizes that both fit",
      CT_PARTS,
      {
        ...CT,
        config_groups: {
          a: { weights: { num_bits: 4, strategy: "group", group_size: 32 } },
          b: { weights: { num_bits: 4, strategy: "group", group_size: 40 } },
        },
      },
      /fit several group sizes of its config: 32, 40/,
    ],
    [
      "no group size, and groups that are not even",
      { ...GPTQ_PARTS, qweight: filled([7, 16], NINES), qzeros: filled([3, 2], 0), scales: halves([3, 16]) },
      { quant_method: "gptq", bits: 4 },
      /3 groups for 56 columns, and its config names no group_size/,
    ],
  ])("is refused where its groups are not the config's: %s", async (_, parts, config, sentence) => {
    const refused = openCheckpoint(await packedFolder(parts, config));
    await expect(refused).rejects.toMatchObject({ code: "checkpoint/bad-packing" });
    await expect(refused).rejects.toThrow(sentence);
  });

  it("is refused where scales are by blocks of rows, which Keystone does not read", async () => {
    const settings = {
      ...{ quant_method: "compressed-tensors", format: "int-quantized" },
      config_groups: { a: { weights: { num_bits: 8, strategy: "block", block_structure: [16, 16] } } },
    };
    const parts: Record<string, TensorSpec> = {
      weight: { dtype: "I8", shape: [16, 48], data: new Uint8Array(16 * 48) },
      weight_scale: halves([1, 3]),
    };
    const checkpoint = await opened(await packedFolder(parts, settings, LLAMA));
    expect(() => architectureOf(checkpoint)).toThrow(/quantized with scales by "block"/);
  });
});
