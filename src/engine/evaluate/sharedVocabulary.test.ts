import { expect, it } from "vitest";
import { expectSum, float32Bound } from "../../../test/support/rounding.ts";
import { judgeShared } from "./sharedVocabulary.ts";

const logs = (...probabilities: number[]): Float32Array => Float32Array.from(probabilities, Math.log);
const LABELS = Int32Array.of(1);
/** Logarithms of up to 3 in f32, of a handful of tokens. */
const ROUNDED = float32Bound({ magnitude: 3, terms: 4 });

it("one model with a padded vocabulary predicts the same among the tokens that both have", () => {
  const original = { logProbabilities: logs(0.2, 0.7, 0.1), vocabulary: 3 };
  const padded = { logProbabilities: logs(0.1, 0.35, 0.05, 0.5), vocabulary: 4 };
  for (const [one, other, own] of [
    [original, padded, 0.35],
    [padded, original, 0.7],
  ] as const) {
    const { nll, kl, topAgrees } = judgeShared(one, other, LABELS);
    expectSum(kl[0], 0, ROUNDED);
    expect(topAgrees[0]).toBe(1);
    expectSum(nll[0], -Math.log(own), ROUNDED);
  }
});

it("KL is that of the distributions made to sum to 1 over the shared tokens, row by row", () => {
  const one = { logProbabilities: logs(0.4, 0.6, 0.9, 0.1), vocabulary: 2 };
  const other = { logProbabilities: logs(0.2, 0.6, 0.2, 0.1, 0.3, 0.6), vocabulary: 3 };
  const { kl, topAgrees } = judgeShared(one, other, Int32Array.of(0, 1));
  const expected = [
    0.4 * Math.log(0.4 / 0.25) + 0.6 * Math.log(0.6 / 0.75),
    0.9 * Math.log(0.9 / 0.25) + 0.1 * Math.log(0.1 / 0.75),
  ];
  expected.forEach((value, i) => expectSum(kl[i], value, ROUNDED));
  expect([...topAgrees]).toEqual([1, 0]);
});
