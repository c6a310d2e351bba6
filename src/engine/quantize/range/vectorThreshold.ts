import type { RangeRule } from "#shared/recipe.ts";
import { blockThreshold } from "./clipThreshold.ts";
import type { Kernels } from "#engine/numeric/kernels/kernels.ts";

/** Calls `work(count)` for one piece after another of source[from, to), each in the kernels' input. */
export function forPieces(
  kernels: Kernels,
  source: Float32Array,
  from: number,
  to: number,
  work: (count: number, begin: number) => void,
): void {
  for (let begin = from; begin < to; begin += kernels.capacity) {
    const end = Math.min(begin + kernels.capacity, to);
    kernels.input.set(source.subarray(begin, end));
    work(end - begin, begin);
  }
}

/**
 * Sets the thresholds of the blocks of `size` weights in source[begin, begin + count), which the kernels hold with low and high.
 * @param ofTensor the threshold of `tensor-percentage`
 * @returns false where a block's constants overflow
 */
export function setThresholds(
  kernels: Kernels,
  range: RangeRule | null,
  ofTensor: number,
  source: Float32Array,
  begin: number,
  count: number,
  size: number,
): boolean {
  const blocks = Math.ceil(count / size);
  switch (range?.method) {
    case undefined:
      kernels.threshold.fill(Infinity, 0, blocks);
      return true;
    case "tensor-percentage":
      kernels.threshold.fill(ofTensor, 0, blocks);
      return true;
    case "mse":
      return kernels.mseThresholds(size, count) !== 0;
    case "zscore":
      kernels.zscoreThresholds(size, count, range.threshold);
      return true;
    case "block-percentage":
    case "iqr":
      for (let block = 0; block < blocks; block++) {
        const from = begin + block * size;
        const to = Math.min(from + size, begin + count);
        kernels.threshold[block] = takesLargest(range, to - from)
          ? Math.max(-kernels.low[block], kernels.high[block])
          : blockThreshold(range, source, from, to);
      }
      return true;
  }
}

/** Whether a clip's threshold is simply the largest |w| of a block: so it is for a small percentage of a short block. */
function takesLargest(range: RangeRule, count: number): boolean {
  return range.method === "block-percentage" && count * range.threshold + 1 < 2;
}

/**
 * The threshold of one block longer than the kernels hold: the same sums, in pieces.
 * @returns null where the block's constants overflow
 */
export function longThreshold(
  kernels: Kernels,
  range: RangeRule | null,
  ofTensor: number,
  source: Float32Array,
  from: number,
  to: number,
): number | null {
  switch (range?.method) {
    case undefined:
      return Infinity;
    case "tensor-percentage":
      return ofTensor;
    case "mse":
      if (!kernels.beginSearch(kernels.low[0], kernels.high[0])) return null;
      forPieces(kernels, source, from, to, (count) => kernels.addToSearch(count));
      return kernels.endSearch();
    case "zscore":
      return longZscoreThreshold(kernels, source, from, to, range.threshold);
    case "block-percentage":
    case "iqr":
      return blockThreshold(range, source, from, to);
  }
}

function longZscoreThreshold(
  kernels: Kernels,
  source: Float32Array,
  from: number,
  to: number,
  z: number,
): number {
  const { input, lanes } = kernels.at;
  kernels.clearLanes(lanes);
  forPieces(kernels, source, from, to, (count) => kernels.addMagnitudes(lanes, input, count));
  const mean = kernels.totalOfLanes(lanes) / (to - from);
  kernels.clearLanes(lanes);
  forPieces(kernels, source, from, to, (count) => kernels.addSquaredDeviations(lanes, input, count, mean));
  return Math.fround(mean + z * Math.sqrt(kernels.totalOfLanes(lanes) / (to - from - 1)));
}

/**
 * The mse threshold of one block with range low … high, as in mseThreshold.ts; the kernels are configured for its plan.
 * @returns null where the block's constants overflow
 */
export function vectorMseThreshold(
  kernels: Kernels,
  source: Float32Array,
  from: number,
  to: number,
  low: number,
  high: number,
): number | null {
  kernels.low[0] = low;
  kernels.high[0] = high;
  const count = to - from;
  if (count > kernels.capacity) return longThreshold(kernels, { method: "mse" }, 0, source, from, to);
  kernels.input.set(source.subarray(from, to));
  return kernels.mseThresholds(count, count) ? kernels.threshold[0] : null;
}
