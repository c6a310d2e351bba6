import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { packedNames } from "#engine/formats/onnx/layout/names.ts";
import { packParts } from "#engine/formats/onnx/write/packParts.ts";
import { dequantize, quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { testPlan } from "../../support/quantize/testPlan.ts";

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const golden = z
  .object({
    matrices: z.record(z.string(), z.object({ shape: z.tuple([z.number(), z.number()]), weights: base64 })),
    cases: z.array(
      z.object({
        matrix: z.string(),
        bits: z.number(),
        block: z.number(),
        symmetric: z.boolean(),
        codes: base64,
        scales: base64,
        zeroPoints: base64.nullable(),
        dequantized: z.string(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "matmulnbits.json"), "utf8")));

describe("matmulnbits gives the bytes of onnxruntime's own quantizer, and the weights of its operator", () => {
  for (const { matrix, bits, block, symmetric, ...expected } of golden.cases) {
    const { shape, weights: bytes } = golden.matrices[matrix];
    const [rows, columns] = shape;
    it(`for ${rows} × ${columns}, ${bits} bits, group:${block}, ${symmetric ? "symmetric" : "asymmetric"}`, () => {
      const weights = new Float32Array(bytes.buffer);
      const plan = testPlan(
        { rows, columns },
        { scheme: "matmulnbits", bits, symmetric, granularity: `group:${block}` },
      );
      const packed = quantize(weights, plan);
      const parts = packParts(packed);
      const names = packedNames("w", bits);
      expect(parts.get(names.codes)).toEqual(expected.codes);
      expect(new Float32Array(parts.get(names.scales)?.slice().buffer ?? new ArrayBuffer())).toEqual(
        new Float32Array(expected.scales.buffer),
      );
      expect(parts.get(names.zeroPoints) ?? null).toEqual(expected.zeroPoints);

      const fast = new Float32Array(weights.length);
      quantizeDequantize(weights, plan, fast);
      for (const values of [dequantize(packed), fast]) expect(sha256(values)).toBe(expected.dequantized);
    });
  }
});

/** Of the values, with −0 as 0. */
function sha256(values: Float32Array): string {
  const plain = values.map((value) => value + 0);
  return createHash("sha256").update(new Uint8Array(plain.buffer)).digest("hex");
}
