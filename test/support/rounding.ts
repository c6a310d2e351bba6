import { expect } from "vitest";

/** The largest relative error of one rounding. */
const ROUNDING = { float32: 2 ** -24, float64: 2 ** -53 } as const;
/**
 * How many times the expected error of one result the largest of some ten thousand differences between two results lies away:
 * four standard deviations, √2 of them for two results, each rounding spread evenly (1/√3 of its bound).
 */
const LARGEST_OF_MANY = 4;

/** How a figure is made, as far as its rounding goes. */
export interface Sum {
  /**
   * Size of what is added up. Not of what is left: a log-likelihood of −0.01 is the difference of logits of size 20, and rounded
   * as they are.
   */
  readonly magnitude: number;
  /** Numbers that are added into one. Default 1: a single operation. */
  readonly terms?: number;
  /** Such sums that build on one another. Default 1. */
  readonly depth?: number;
  /** Figures like this one whose mean is taken, or whose sum is taken and stands in `magnitude`. Default 1. */
  readonly figures?: number;
}

/**
 * How far two right results of one computation in float32 may lie apart. Processors, threads and graph optimisations add the
 * same terms in another order, with or without fused operations; their rounding errors add up like a random walk, to √n of them
 * [Higham and Mary 2019, doi:10.1137/18M1226312]. No test of float32 sums is tighter than this.
 */
export function float32Bound(sum: Sum): number {
  return bound(ROUNDING.float32, sum);
}

/** The same for sums in float64, as statistics and scores are added up. */
export function float64Bound(sum: Sum): number {
  return bound(ROUNDING.float64, sum);
}

function bound(rounding: number, { magnitude, terms = 1, depth = 1, figures = 1 }: Sum): number {
  return (LARGEST_OF_MANY * Math.sqrt(terms * depth) * rounding * Math.abs(magnitude)) / Math.sqrt(figures);
}

/** In one layer of a decoder: norm, queries, scores, softmax, values, output, norm, gate, down. */
const SUMS_OF_A_LAYER = 9;
/** Norm and product. */
const SUMS_OF_THE_HEAD = 2;

/** The longest sums of a decoder and how many build on one another, for the bounds of what it computes. */
export function sumsOf({ intermediateSize, layers }: { intermediateSize: number; layers: number }): {
  terms: number;
  depth: number;
} {
  return { terms: intermediateSize, depth: SUMS_OF_A_LAYER * layers + SUMS_OF_THE_HEAD };
}

/** The demo model's logits. */
export const DEMO_LOGITS: Sum = { magnitude: 20, ...sumsOf({ intermediateSize: 704, layers: 6 }) };

/** Of an SQNR in dB, the ratio of two sums in float64: a share of the ratio is 10/ln 10 times as much in dB. */
export function decibelBound(terms: number): number {
  return (10 / Math.LN10) * 2 * float64Bound({ magnitude: 1, terms });
}

/**
 * Of a continuation's log-likelihood: each token's is rounded as the logits are, and there are at least as many tokens as it
 * takes to add up to it.
 */
export function logLikelihoodBound(value: number, logits: Sum): number {
  const { magnitude } = logits;
  return float32Bound({ ...logits, magnitude: Math.sqrt(Math.max(Math.abs(value), magnitude) * magnitude) });
}

/**
 * Of a mean KL divergence over `figures` tokens, from the size of the logits. What rounding does to the logits of p̂ cancels to first
 * order, because p̂ sums to 1: what is left of it is as small as p − p̂, at most √(2·KL) in all [Pinsker's inequality]. The logarithms
 * themselves are rounded once more, each by itself.
 */
export function divergenceBound(kl: number, logits: Sum): number {
  const { magnitude, figures = 1 } = logits;
  return (
    float32Bound({ ...logits, magnitude: magnitude * Math.sqrt(2 * kl) }) +
    float32Bound({ magnitude, figures })
  );
}

/** Asserts that a figure that is only added up in another order has its value; fails on NaN and null. */
export function expectSum(
  actual: number | null | undefined,
  expected: number,
  within: number,
  what = "the sum",
): void {
  const off = Math.abs((actual ?? NaN) - expected);
  expect(
    off <= within,
    `${what}: ${actual} instead of ${expected}, off by ${off.toExponential(2)} (rounding allows ${within.toExponential(2)})`,
  ).toBe(true);
}
