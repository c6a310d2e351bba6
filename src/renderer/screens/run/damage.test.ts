import { describe, expect, it } from "vitest";
import type { Scores } from "#shared/evaluation.ts";
import { damageLevel, frontBy } from "./damage.ts";
import { testResult } from "./testResult.ts";

const baseline: Scores = {
  nll: 2,
  perplexity: 10,
  wordPerplexity: null,
  bytePerplexity: null,
  bitsPerByte: null,
  tokens: 100,
  nllStandardError: null,
};

describe("damage", () => {
  it("runs from as good as the original to destroyed on a fixed log scale", () => {
    const level = (perplexity: number): number | null =>
      damageLevel(testResult({}, { perplexity }), "perplexity", baseline);
    expect([9.9, 10.2, 10.4, 12.2, 57, 1e6].map(level)).toEqual([0, 0, 1, 3, 6, 8]);
  });
  it("tells variants apart by KL that perplexity does not", () => {
    const level = (klMean: number): number | null => damageLevel(testResult({}, { klMean }), "kl", null);
    expect([1e-6, 1e-4, 0.01, 12].map(level)).toEqual([0, 1, 4, 8]);
  });
  it("is the worst where the score is not finite, and none while there is no score", () => {
    expect(damageLevel(testResult({}, { perplexity: null, notFinite: true }), "perplexity", baseline)).toBe(
      8,
    );
    expect(damageLevel(testResult({}, { status: "running" }), "perplexity", baseline)).toBeNull();
  });
});

describe("the best-so-far line", () => {
  it("holds what no other beats in size and damage, by the metric shown", () => {
    const small = testResult({ bits: 3 }, { bitsPerWeight: 3, perplexity: 20, klMean: 0.5 });
    const large = testResult({ bits: 4 }, { bitsPerWeight: 4, perplexity: 12, klMean: 0.6 });
    const beaten = testResult({ bits: 5 }, { bitsPerWeight: 5, perplexity: 13, klMean: 0.7 });
    expect(frontBy([beaten, large, small], "perplexity").map(({ id }) => id)).toEqual([small.id, large.id]);
    expect(frontBy([beaten, large, small], "kl").map(({ id }) => id)).toEqual([small.id]);
  });
});
