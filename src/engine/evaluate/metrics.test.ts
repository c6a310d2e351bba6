import { describe, expect, it } from "vitest";
import { percentile } from "#shared/numbers.ts";
import { expectSum, float64Bound } from "../../../test/support/rounding.ts";
import { median, summarize } from "./metrics.ts";

const whole = { textTokens: 3, words: 4, bytes: 20 };

describe("summarize", () => {
  it("gives perplexity by token, word and byte from the total NLL", () => {
    const scores = summarize(Float32Array.of(1, 2, 3), whole);
    expect(scores).toMatchObject({
      nll: 2,
      tokens: 3,
      perplexity: Math.exp(2),
      wordPerplexity: Math.exp(1.5),
      bytePerplexity: Math.exp(0.3),
    });
    expectSum(scores.bitsPerByte, 0.3 / Math.LN2, float64Bound({ magnitude: 1, terms: 3 }));
    expectSum(scores.nllStandardError, 1 / Math.sqrt(3), float64Bound({ magnitude: 1, terms: 3 }));
    expect(scores).not.toHaveProperty("notFinite");
  });

  it("knows no standard error of a single token", () => {
    const scores = summarize(Float32Array.of(2), whole);
    expect(scores).toMatchObject({ nll: 2, tokens: 1, nllStandardError: null });
    expect(scores).not.toHaveProperty("notFinite");
  });

  it("takes the tokens of a text that were not scored to cost as much as the others", () => {
    const scores = summarize(Float32Array.of(1, 2), { ...whole, textTokens: 8 });
    expect(scores).toMatchObject({
      perplexity: Math.exp(1.5),
      wordPerplexity: Math.exp((8 * 1.5) / 4),
      bytePerplexity: Math.exp((8 * 1.5) / 20),
    });
  });

  it("has no word perplexity for a text without white space that is too long for it, which is no fault of the model", () => {
    const scores = summarize(new Float32Array(900).fill(1), { textTokens: 900, words: 1, bytes: 2700 });
    expect(scores).toMatchObject({ wordPerplexity: null, perplexity: Math.exp(1) });
    expect(scores).not.toHaveProperty("notFinite");
  });

  it("turns what is not finite into null and says so", () => {
    const nan = summarize(Float32Array.of(1, NaN), whole, {
      kl: Float32Array.of(0, Infinity),
      topAgrees: Float32Array.of(1, 0),
    });
    expect(nan).toMatchObject({
      nll: null,
      perplexity: null,
      notFinite: true,
      kl: { mean: null, median: null, p99: null, max: null, topAgreement: 0.5 },
    });
  });

  it("keeps the NLL of a model so bad that its perplexity overflows", () => {
    expect(summarize(Float32Array.of(800, 800), whole)).toMatchObject({
      nll: 800,
      perplexity: null,
      notFinite: true,
    });
  });

  it("reports KL with linear percentiles", () => {
    const kl = Float32Array.of(4, 1, 3, 2);
    expect(
      summarize(Float32Array.of(1, 1, 1, 1), whole, { kl, topAgrees: Float32Array.of(1, 1, 0, 1) }).kl,
    ).toEqual({
      mean: 2.5,
      median: 2.5,
      p99: expect.closeTo(3.97, 6) as unknown,
      max: 4,
      topAgreement: 0.75,
    });
  });
});

describe("percentile", () => {
  it("interpolates between order statistics", () => {
    expect(percentile([0, 10], 0.25)).toBe(2.5);
    expect(percentile([], 0.5)).toBeNull();
  });

  it("gives the mean of the middle two as median of an even count", () => {
    expect(median([5, 1, 3, 2])).toBe(2.5);
    expect(median([9, 1, 3])).toBe(3);
  });
});
