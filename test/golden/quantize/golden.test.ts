import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { recipeInNewWords } from "#shared/oldWords.ts";
import { rangeRule, schemeName } from "#shared/recipe.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { sqnrDb } from "#engine/quantize/plan/statistics.ts";
import { testPlan } from "../../support/quantize/testPlan.ts";
import { decibelBound, expectSum } from "../../support/rounding.ts";

const floats = z.string().transform((text) => {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
});
const golden = z.object({
  rows: z.number(),
  columns: z.number(),
  weights: floats,
  cases: z.array(
    z.preprocess(recipeInNewWords, z.object({
      scheme: schemeName,
      bits: z.number(),
      symmetric: z.boolean(),
      granularity: z.string(),
      range: rangeRule.nullable(),
      restore: z.union([z.array(z.number()), z.object({ largest: z.number() })]),
      excludeFromRange: z.boolean(),
      storage: z.enum(["F32", "F16", "BF16"]),
      sqnrDb: z.number(),
      out: floats,
    })),
  ),
});
const { rows, columns, weights, cases } = golden.parse(JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")));

describe("the quantizer gives PyTorch's bits for the published formulae", () => {
  for (const { out: expected, sqnrDb: expectedSqnr, restore, ...fields } of cases) {
    const name = JSON.stringify({ ...fields, restore });
    it(name, () => {
      const plan = testPlan({ rows, columns }, { ...fields, restore: Array.isArray(restore) ? { indices: restore } : restore });
      const out = new Float32Array(weights.length);
      const statistics = quantizeDequantize(weights, plan, out);
      expect(out).toEqual(expected);
      expectSum(sqnrDb(statistics), expectedSqnr, decibelBound(weights.length), "SQNR");
    });
  }
});
