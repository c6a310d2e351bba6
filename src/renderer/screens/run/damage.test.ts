import { describe, expect, it } from "vitest";
import type { Scores } from "#shared/evaluation.ts";
import { damageLevel, fitScale, frontBy, scaleEnds } from "./damage.ts";
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
  const byPerplexity = (values: readonly number[]) =>
    values.map((perplexity) => testResult({}, { perplexity }));
  const byKl = (values: readonly number[]) => values.map((klMean) => testResult({}, { klMean }));

  it("runs from the least to the most harm of the run, by ratios where it spans far", () => {
    const results = byPerplexity([9.9, 10.1, 10.4, 12.2, 57, 1e6]);
    const scale = fitScale(results, "perplexity", baseline);
    expect(scale).toMatchObject({ low: expect.closeTo(0.1) as number, high: 1e6 - 10, log: true });
    expect(results.map((result) => damageLevel(result, "perplexity", baseline, scale))).toEqual([
      0, 0, 0, 1, 3, 8,
    ]);
    expect(scaleEnds(scale, "perplexity")).toEqual(["+0.1", "+1,000,000"]);
  });
  it("tells close variants apart, in even steps", () => {
    const results = byKl([0.268, 0.27, 0.275, 0.29]);
    const scale = fitScale(results, "kl", null);
    expect(scale).toEqual({ low: 0.268, high: 0.29, log: false });
    expect(results.map((result) => damageLevel(result, "kl", null, scale))).toEqual([0, 0, 2, 8]);
    expect(scaleEnds(scale, "kl")).toEqual(["0.27", "0.29"]);
  });
  it("has no ends while no variant adds anything", () => {
    expect(fitScale([], "kl", null)).toBeNull();
    expect(fitScale(byPerplexity([10, 9]), "perplexity", baseline)).toBeNull();
    expect(damageLevel(testResult({}, { perplexity: 10 }), "perplexity", baseline, null)).toBe(0);
    expect(scaleEnds(null, "kl")).toEqual(["–", "–"]);
  });
  it("is the worst where the score is not finite, and none while there is no score", () => {
    const broken = testResult({}, { perplexity: null, notFinite: true });
    expect(damageLevel(broken, "perplexity", baseline, null)).toBe(8);
    expect(damageLevel(testResult({}, { status: "running" }), "perplexity", baseline, null)).toBeNull();
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
