import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { mlxLayout } from "#engine/formats/packed/write/mlxLayout.ts";
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
    z.object({
      bits: z.number(),
      group: z.number(),
      dtype: z.enum(["F16", "BF16", "F32"]),
      tensors: z.object({ weight: bytes, scales: bytes, biases: bytes }),
      dequantized: z.string(),
    }),
  ),
});
type Case = z.infer<typeof golden>["cases"][number];
const { rows, columns, weights, cases } = golden.parse(
  JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")),
);

const MODULE = "model.layers.0.mlp.down_proj";

function planOf({ bits, group, dtype }: Case) {
  const settings = { scheme: "mlx" as const, bits, granularity: `group:${group}`, storage: dtype };
  return testPlan({ rows, columns }, { name: `${MODULE}.weight`, ...settings });
}

const sha256 = (values: Float32Array): string =>
  createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

/** What mlx packed, as a checkpoint of one module whose own settings differ from those of the others. */
async function folderOf(made: Case): Promise<string> {
  const folder = join(await temporaryFolder(), "model");
  await mkdir(folder);
  const shapes = { weight: [rows, (columns * made.bits) / 32], scales: [rows, columns / made.group] };
  const file: Record<string, TensorSpec> = {
    [`${MODULE}.weight`]: { dtype: "U32", shape: shapes.weight, data: made.tensors.weight },
    [`${MODULE}.scales`]: { dtype: made.dtype, shape: shapes.scales, data: made.tensors.scales },
    [`${MODULE}.biases`]: { dtype: made.dtype, shape: shapes.scales, data: made.tensors.biases },
  };
  const own = { group_size: made.group, bits: made.bits };
  const quantization = { group_size: 64, bits: 4, mode: "affine", [MODULE]: own, "model.embed_tokens": false };
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(file));
  const config = { model_type: "llama", quantization, quantization_config: quantization };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

describe("MLX's affine groups", () => {
  for (const made of cases) {
    const name = `${made.bits} bits, group ${made.group}, ${made.dtype}`;

    it(`${name}: packed codes, scales and biases are mlx.core.quantize's own`, () => {
      const plan = planOf(made);
      const [weight, scales, biases] = mlxLayout.pack(quantize(weights, plan));
      expect({ weight, scales, biases }).toEqual(made.tensors);
      expect(mlxLayout.tensors(plan).map(({ name: part }) => part)).toEqual([
        `${MODULE}.weight`,
        `${MODULE}.scales`,
        `${MODULE}.biases`,
      ]);
    });

    it(`${name}: what is judged, and what is read from its files, is what mlx.core.dequantize gives`, async () => {
      const judged = new Float32Array(weights.length);
      quantizeDequantize(weights, planOf(made), judged);
      expect(sha256(judged)).toBe(made.dequantized);
      const checkpoint = await openCheckpoint(await folderOf(made));
      try {
        expect(sha256(await checkpoint.read(`${MODULE}.weight`))).toBe(made.dequantized);
        const some = await checkpoint.readRows(`${MODULE}.weight`, [5, 0]);
        expect([...some]).toEqual([
          ...judged.subarray(5 * columns, 6 * columns),
          ...judged.subarray(0, columns),
        ]);
      } finally {
        await checkpoint.close();
      }
    });
  }
});
