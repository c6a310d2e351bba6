import { orNull } from "#shared/numbers.ts";
import type { TensorInfo, TensorStatistics } from "#shared/model.ts";
import { percentilesOf } from "#engine/numeric/percentiles.ts";

/** Bars of the row-maxima chart: more rows than this share a bar. */
const MAX_ROW_BINS = 512;

/** A tensor as (rows, columns): a matrix as it is, fewer dimensions as one row, more with the trailing ones joined. */
export function asMatrix(tensor: Pick<TensorInfo, "shape" | "parameters">): {
  rows: number;
  columns: number;
} {
  if (tensor.shape.length < 2) return { rows: 1, columns: tensor.parameters };
  const rows = tensor.shape[0];
  return { rows, columns: rows === 0 ? 0 : tensor.parameters / rows };
}

/**
 * Statistics of a tensor's values, NaN and infinities left out and counted. Sums in f64 in two passes (the moments are
 * taken about the mean); standard deviation and kurtosis of the population; percentiles exact, interpolated linearly.
 * @param w (rows, columns), row-major; not changed
 * @param bins of the histogram, equal from min to max
 */
export function tensorStatistics(
  name: string,
  w: Float32Array,
  rows: number,
  columns: number,
  bins = 128,
): TensorStatistics {
  const extent = extentOf(w, rows, columns);
  const { finite, min, max } = extent;
  const mean = extent.sum / finite;
  const { second, fourth, counts } = momentsOf(w, mean, min, max, bins);
  const [p01, p99] = percentilesOf(w, [0.01, 0.99]);
  const variance = second / finite;
  const empty = finite === 0;
  return {
    name,
    count: w.length,
    min: orNull(min),
    max: orNull(max),
    absMax: empty ? null : extent.absMax,
    absMaxAt: empty ? [0, 0] : [Math.floor(extent.absMaxIndex / columns), extent.absMaxIndex % columns],
    secondAbsMax: finite < 2 ? null : extent.secondAbsMax,
    mean: orNull(mean),
    standardDeviation: orNull(Math.sqrt(variance)),
    kurtosis: orNull(fourth / finite / (variance * variance)),
    p01: orNull(p01),
    p99: orNull(p99),
    zeros: extent.zeros,
    notFiniteCount: w.length - finite,
    histogram: { from: empty ? 0 : min, to: empty ? 0 : max, counts },
    rowMaxima: extent.rowMaxima,
  };
}

/** First pass: what needs no mean. */
function extentOf(w: Float32Array, rows: number, columns: number) {
  const rowMaxima = new Array<number>(Math.min(rows, MAX_ROW_BINS)).fill(0);
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let finite = 0;
  let zeros = 0;
  let absMax = -1;
  let absMaxIndex = 0;
  let secondAbsMax = -1;
  for (let row = 0; row < rows; row++) {
    let rowMax = 0;
    const end = (row + 1) * columns;
    for (let i = row * columns; i < end; i++) {
      const value = w[i];
      const size = Math.abs(value);
      if (!(size < Infinity)) continue;
      finite++;
      sum += value;
      if (value === 0) zeros++;
      if (value < min) min = value;
      if (value > max) max = value;
      if (size > rowMax) rowMax = size;
      if (size > secondAbsMax) {
        if (size > absMax) {
          secondAbsMax = absMax;
          absMax = size;
          absMaxIndex = i;
        } else secondAbsMax = size;
      }
    }
    const bin = Math.floor((row * rowMaxima.length) / rows);
    if (rowMax > rowMaxima[bin]) rowMaxima[bin] = rowMax;
  }
  return { rowMaxima, min, max, sum, finite, zeros, absMax, absMaxIndex, secondAbsMax };
}

/** Second pass: Σ(w − mean)², Σ(w − mean)⁴ and the histogram. */
function momentsOf(w: Float32Array, mean: number, min: number, max: number, bins: number) {
  const counts = new Float64Array(bins);
  const scale = max > min ? bins / (max - min) : 0;
  let second = 0;
  let fourth = 0;
  for (let i = 0; i < w.length; i++) {
    const value = w[i];
    if (!(Math.abs(value) < Infinity)) continue;
    const square = (value - mean) * (value - mean);
    second += square;
    fourth += square * square;
    counts[Math.min(bins - 1, Math.floor((value - min) * scale))]++;
  }
  return { second, fourth, counts: Array.from(counts) };
}
