import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { recipeInNewWords } from "#shared/oldWords.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { awqLayout } from "#engine/formats/packed/write/awqLayout.ts";
import { compressedTensorsLayout } from "#engine/formats/packed/write/compressedTensorsLayout.ts";
import { gptqLayout } from "#engine/formats/packed/write/gptqLayout.ts";
import type { ModuleLayout } from "#engine/formats/packed/write/moduleLayout.ts";
import { quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { testPlan } from "../../support/quantize/testPlan.ts";
import { safetensorsBytes, type TensorSpec } from "../../support/safetensorsBytes.ts";
import { temporaryFolder } from "../../support/syntheticCheckpoint.ts";

const bytes = z.string().transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const golden = z.object({
  rows: z.number(),
  columns: z.number(),
  weights: bytes.transform(({ buffer }) => new Float32Array(buffer)),
  cases: z.array(
    z.preprocess(recipeInNewWords, z.object({
      scheme: z.enum(["compressed-tensors", "gptq-int", "awq-int"]),
      bits: z.number(),
      symmetric: z.boolean(),
      granularity: z.string(),
      dtype: z.enum(["F16", "BF16", "F32"]),
      tensors: z.record(z.string(), z.object({ shape: z.array(z.number()), data: bytes })),
      dequantized: z.string(),
    })),
  ),
});
type Case = z.infer<typeof golden>["cases"][number];
const { rows, columns, weights, cases } = golden.parse(
  JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")),
);

const MODULE = "model.layers.0.mlp.down_proj";

function planOf({ scheme, bits, symmetric, granularity, dtype }: Case) {
  return testPlan(
    { rows, columns },
    { name: `${MODULE}.weight`, scheme, bits, symmetric, granularity, storage: dtype },
  );
}

function dtypeOf(name: string, { dtype }: Case): string {
  if (name.endsWith("_shape")) return "I64";
  if (name.endsWith("_scale")) return dtype;
  return name === "scales" ? "F16" : "I32";
}

/** Our packer's tensors by the names that the peers give them. */
function packed(made: Case, layout: ModuleLayout): Record<string, { shape: number[]; data: Uint8Array }> {
  const plan = planOf(made);
  const quantized = [...layout.pack(quantize(weights, plan))];
  return Object.fromEntries(
    layout.tensors(plan).map(({ name, shape, data = quantized.shift() ?? new Uint8Array() }) => [
      name.slice(MODULE.length + 1),
      { shape: [...shape], data },
    ]),
  );
}

const sha256 = (values: Float32Array): string =>
  createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

/** The golden tensors as a checkpoint of one module. */
async function folderOf(made: Case, tensors: Case["tensors"], quantization_config: unknown): Promise<string> {
  const folder = join(await temporaryFolder(), "model");
  await mkdir(folder);
  const file = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]): [string, TensorSpec] => [
      `${MODULE}.${name}`,
      { dtype: dtypeOf(name, made), shape, data },
    ]),
  );
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(file));
  await writeFile(join(folder, "config.json"), JSON.stringify({ model_type: "llama", quantization_config }));
  return folder;
}

async function readBack(folder: string): Promise<string> {
  const checkpoint = await openCheckpoint(folder);
  const values = await checkpoint.read(`${MODULE}.weight`);
  const some = await checkpoint.readRows(`${MODULE}.weight`, [9, 0, 31]);
  expect(Array.from(some)).toEqual([9, 0, 31].flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)]));
  await checkpoint.close();
  return sha256(values);
}

function configOf({ scheme, bits }: Case, version: 1 | 2): unknown {
  if (scheme === "compressed-tensors")
    return {
      quant_method: scheme,
      format: "pack-quantized",
      config_groups: { group_0: { targets: ["Linear"], weights: { num_bits: bits, type: "int" } } },
    };
  if (scheme === "awq-int") return { quant_method: "awq", bits, version: "gemm", zero_point: true };
  return { quant_method: "gptq", bits, checkpoint_format: version === 1 ? "gptq" : "gptq_v2" };
}

describe("the packed formats", () => {
  for (const made of cases) {
    const { scheme, bits, symmetric, granularity, dtype, tensors: expected, dequantized } = made;
    const name = `${scheme} ${bits} bits, ${symmetric ? "symmetric" : "asymmetric"}, ${granularity}, ${dtype}`;
    const { qzeros_v1: ofVersion1, ...tensors } = expected;

    it(`${name}: codes, constants and packed bytes are the peers' own`, () => {
      const layout =
        scheme === "compressed-tensors" ? compressedTensorsLayout : scheme === "awq-int" ? awqLayout : gptqLayout(2);
      expect(packed(made, layout)).toEqual(tensors);
      if (ofVersion1 && symmetric)
        expect(packed(made, gptqLayout(1))).toEqual({ ...tensors, qzeros: ofVersion1 });
    });

    it(`${name}: what is judged, and what is read from the peers' files, is what the peers dequantize`, async () => {
      const judged = new Float32Array(weights.length);
      quantizeDequantize(weights, planOf(made), judged);
      expect(sha256(judged)).toBe(dequantized);
      expect(await readBack(await folderOf(made, tensors, configOf(made, 2)))).toBe(dequantized);
      if (!ofVersion1) return;
      const first = { ...tensors, qzeros: ofVersion1 };
      expect(await readBack(await folderOf(made, first, configOf(made, 1)))).toBe(dequantized);
    });
  }
});
