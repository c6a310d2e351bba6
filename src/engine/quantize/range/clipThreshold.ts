import type { RangeRule } from "#shared/recipe.ts";
import { orderStatistic, orderStatistics } from "#engine/numeric/orderStatistic.ts";
import { totalOfLanes } from "../plan/statistics.ts";

/** The clips whose threshold follows from one block's values alone. */
type BlockClip = Exclude<RangeRule, { method: "mse" | "tensor-percentage" }>;

/**
 * The threshold t of one block; weights are then clamped to [−t, t]. Sums in f64 lanes, the result rounded to f32.
 * zscore: mean|w| + z·std|w| (sample standard deviation, 0 for one weight). block-percentage: the k-th largest |w|,
 * k = max(⌊n·p + 1⌋, 1), at most n. iqr: Q3 + k·(Q3 − Q1) of |w|, quartiles interpolated linearly.
 */
export function blockThreshold(range: BlockClip, source: Float32Array, from: number, to: number): number {
  switch (range.method) {
    case "zscore":
      return zscoreThreshold(source, from, to, range.threshold);
    case "block-percentage": {
      const count = to - from;
      const k = Math.min(Math.max(Math.floor(count * range.threshold + 1), 1), count);
      return orderStatistic(source, from, to, count - k, true);
    }
    case "iqr":
      return iqrThreshold(source, from, to, range.threshold);
  }
}

/** The k-th largest |w| of a whole tensor, k = max(⌊N·p⌋, 1): one threshold for all its blocks. */
export function tensorThreshold(source: Float32Array, fraction: number): number {
  const count = source.length;
  const k = Math.max(Math.floor(count * fraction), 1);
  return orderStatistic(source, 0, count, count - k, true);
}

function zscoreThreshold(source: Float32Array, from: number, to: number, z: number): number {
  const count = to - from;
  const sums = new Float64Array(4);
  for (let i = 0; i < count; i++) sums[i & 3] += Math.abs(source[from + i]);
  const mean = totalOfLanes(sums) / count;
  const squares = new Float64Array(4);
  for (let i = 0; i < count; i++) {
    const deviation = Math.abs(source[from + i]) - mean;
    squares[i & 3] += deviation * deviation;
  }
  const deviation = count > 1 ? Math.sqrt(totalOfLanes(squares) / (count - 1)) : 0;
  return Math.fround(mean + z * deviation);
}

/** Each quartile lies between the order statistics of |w| around (n − 1)·p. */
function iqrThreshold(source: Float32Array, from: number, to: number, k: number): number {
  const last = to - from - 1;
  const positions = [last * 0.25, last * 0.75];
  const ranks = positions.flatMap((position) => [Math.floor(position), Math.ceil(position)]);
  const [below1, above1, below3, above3] = orderStatistics(source, from, to, ranks, true);
  const lower = below1 + (above1 - below1) * (positions[0] % 1);
  const upper = below3 + (above3 - below3) * (positions[1] % 1);
  return Math.fround(upper + k * (upper - lower));
}

/** Clamps source[from, to) to [−t, t] in place; returns how many weights changed. */
export function clampTo(source: Float32Array, from: number, to: number, threshold: number): number {
  let changed = 0;
  for (let i = from; i < to; i++) {
    const weight = source[i];
    if (weight > threshold) {
      source[i] = threshold;
      changed++;
    } else if (weight < -threshold) {
      source[i] = -threshold;
      changed++;
    }
  }
  return changed;
}
