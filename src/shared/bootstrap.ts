import { normalCdf, normalQuantile, studentQuantile } from "./normal.ts";
import { percentile } from "./numbers.ts";

/** A mean per token is a ratio: what each block adds to the sum, over how many tokens it holds. */
export interface BlockSums {
  readonly sums: readonly number[];
  readonly tokens: readonly number[];
}

export type Interval = [low: number, high: number];

/** Resamples drawn. */
export const RESAMPLES = 2_000;
/** What every interval of Keystone covers. */
export const LEVEL = 0.95;
const SEED = 0x9e3779b9;

/** Σ sums / Σ tokens. */
export function meanOf({ sums, tokens }: BlockSums): number {
  return total(sums) / total(tokens);
}

/**
 * 95% interval of a mean per token, by a bootstrap over its blocks: bias-corrected and accelerated (BCa) [Efron 1987, eq. 6.8],
 * with the normal quantile widened to √(n / (n − 1)) · t(n − 1) for the small number n of blocks [Hesterberg 2015, § 5.3].
 * The resamples are the same in every call with as many blocks, so the interval is reproducible, and pairs of variants share them.
 */
export function bootstrapInterval(blocks: BlockSums): Interval {
  const n = blocks.sums.length;
  const mean = meanOf(blocks);
  const means = resampledMeans(blocks).sort();
  const [lowest, highest] = [means[0] ?? mean, means[means.length - 1] ?? mean];
  if (lowest === highest) return [lowest, highest];
  const bias = normalQuantile(shareBelow(means, mean));
  const acceleration = accelerationOf(blocks);
  const z = Math.sqrt(n / (n - 1)) * studentQuantile(normalQuantile((1 + LEVEL) / 2), n - 1);
  const end = (quantile: number): number => {
    const shifted = bias + quantile;
    const share = normalCdf(bias + shifted / (1 - acceleration * shifted));
    return percentile(means, Math.min(1, Math.max(0, share))) ?? mean;
  };
  return [end(-z), end(z)];
}

/** The share of resampled means below the mean, ties half; kept off 0 and 1, whose quantiles are infinite. */
function shareBelow(sorted: Float64Array, mean: number): number {
  let [below, equal] = [0, 0];
  for (const value of sorted) {
    if (value < mean) below++;
    else if (value === mean) equal++;
  }
  const edge = 1 / (2 * sorted.length);
  return Math.min(1 - edge, Math.max(edge, (below + equal / 2) / sorted.length));
}

/** Skewness of the jackknife's means over 6. */
function accelerationOf(blocks: BlockSums): number {
  const { sums, tokens } = blocks;
  const [sum, count] = [total(sums), total(tokens)];
  const left = sums.map((own, i) => (sum - own) / (count - (tokens[i] ?? 0)));
  const mean = total(left) / left.length;
  let [squares, cubes] = [0, 0];
  for (const value of left) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function resampledMeans({ sums, tokens }: BlockSums): Float64Array {
  const n = sums.length;
  const draws = drawsOf(n);
  const means = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    let [sum, count] = [0, 0];
    for (let i = r * n; i < (r + 1) * n; i++) {
      const block = draws[i] ?? 0;
      sum += sums[block] ?? 0;
      count += tokens[block] ?? 0;
    }
    means[r] = sum / count;
  }
  return means;
}

const drawn = new Map<number, Uint16Array>();

/** Which blocks each resample takes: (resamples, n), by the mulberry32 generator from a fixed seed. */
function drawsOf(n: number): Uint16Array {
  const kept = drawn.get(n);
  if (kept) return kept;
  const draws = new Uint16Array(RESAMPLES * n);
  let state = SEED;
  for (let i = 0; i < draws.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    draws[i] = Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }
  drawn.set(n, draws);
  return draws;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** What two variants are compared by, and whether they differ. */
export interface PairedDifference {
  /** Of the means per token, the first's less the second's; nats. */
  readonly difference: number;
  readonly interval: Interval;
  /** Whether the interval leaves out 0. */
  readonly significant: boolean;
}

/** Sums over blocks of one text, as they are kept with scores. */
interface KeptSums {
  readonly tokens: readonly number[];
  readonly nll: readonly number[];
  readonly kl?: readonly number[] | undefined;
}

/** The difference of two variants over the same blocks; null where one has no such sums or they are of other texts. */
export function pairedDifference(
  a: KeptSums | undefined,
  b: KeptSums | undefined,
  measure: "kl" | "nll",
): PairedDifference | null {
  const [first, second] = [a?.[measure], b?.[measure]];
  if (!a || !b || !first || !second || !areSame(a.tokens, b.tokens)) return null;
  const blocks = { sums: first.map((sum, i) => sum - (second[i] ?? NaN)), tokens: a.tokens };
  const interval = bootstrapInterval(blocks);
  return {
    difference: meanOf(blocks),
    interval,
    significant: interval[0] > 0 || interval[1] < 0,
  };
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
