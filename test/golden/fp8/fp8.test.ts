import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { dequantize, quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { testPlan } from "../../support/quantize/testPlan.ts";

const bytes = z.string().transform((text) => Uint8Array.from(Buffer.from(text, "base64")));
const floats = bytes.transform(({ buffer }) => new Float32Array(buffer));
/** Written by scripts/golden/fp8.py with PyTorch's cast to float8_e4m3fn. */
const golden = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        columns: z.number(),
        group: z.number(),
        weights: floats,
        codes: bytes,
        scales: floats,
        values: floats,
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")));

describe("fp8_e4m3 gives PyTorch's bytes, scales and values", () => {
  for (const { name, columns, group, weights, codes, scales, values } of golden.cases) {
    it(name, () => {
      const shape = { rows: weights.length / columns, columns };
      const plan = testPlan(shape, { scheme: "fp8_e4m3", bits: 8, granularity: `group:${group}` });
      const packed = quantize(weights, plan);
      expect(packed.codes).toEqual(codes);
      expect(packed.constants).toEqual({ kind: "levels", scale: scales });
      expect(dequantize(packed)).toEqual(values);
      const judged = new Float32Array(weights.length);
      quantizeDequantize(weights, plan, judged);
      expect(judged).toEqual(values);
    });
  }

  it("decodes a block of many more weights than levels to the same values", () => {
    const [first] = golden.cases.filter(({ name }) => name === "every value of the type");
    const long = Float32Array.from({ length: 4096 }, (_, i) => first.weights[i % first.weights.length]);
    const plan = testPlan(
      { rows: 1, columns: 4096 },
      { scheme: "fp8_e4m3", bits: 8, granularity: "tensor" },
    );
    expect(dequantize(quantize(long, plan))).toEqual(long);
  });
});
