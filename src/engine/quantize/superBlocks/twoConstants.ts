import { toF16 } from "#engine/numeric/halfTypes.ts";
import { countingFrom, type FittedBlock, type SuperBlockForm } from "./form.ts";
import { between, nearest } from "./nearest.ts";
import { searchPositiveScale } from "./positiveScale.ts";
import { affineSearch, searchScaleAndMinimum, type AffineSearch } from "./scaleAndMinimum.ts";

const { fround } = Math;
const SUPER_BLOCK = 256;

/** What tells the types with a scale and a minimum in each run apart. */
interface TwoConstants {
  readonly bits: number;
  readonly run: number;
  /** Largest integer that a run's scale and minimum are stored as. */
  readonly steps: number;
  readonly search: AffineSearch;
  /** What a weight's error counts without importance: |w|, or |w| and the run's root mean square. */
  readonly plain: "magnitude" | "magnitude-and-mean";
  /** Times the block's mean square, beside a weight's own square, where importance is known. */
  readonly spread: number;
}

/** The search where importance is known, in every type. */
const WITH_IMPORTANCE = affineSearch(-0.9, 0.05, 36);

/** Q2_K: 16 runs of 16 weights, scales and minimums of 4 bits. */
export const twoBits = twoConstants({
  bits: 2,
  run: 16,
  steps: 15,
  search: affineSearch(-0.5, 0.1, 15, true),
  plain: "magnitude",
  spread: 1,
});
/** Q4_K: 8 runs of 32 weights, scales and minimums of 6 bits. */
export const fourBits = twoConstants({
  bits: 4,
  run: 32,
  steps: 63,
  search: affineSearch(-1, 0.1, 20),
  plain: "magnitude-and-mean",
  spread: 2,
});
/** Q5_K: the same with 5 bits a weight. */
export const fiveBits = twoConstants({
  bits: 5,
  run: 32,
  steps: 63,
  search: affineSearch(-0.5, 0.1, 15),
  plain: "magnitude-and-mean",
  spread: 2,
});

/** Types whose runs have a scale and a minimum, themselves stored as integers: ŵ = (d·s)·code − dmin·m. */
function twoConstants(type: TwoConstants): SuperBlockForm {
  const { bits, run, steps } = type;
  const runs = SUPER_BLOCK / run;
  const scales = new Float32Array(runs);
  const minimums = new Float32Array(runs);
  const weights = new Float32Array(run);
  const runWeights = new Float32Array(runs);
  const line = { scale: 0, minimum: 0 };
  const found = { scales: new Uint8Array(runs), minimums: new Uint8Array(runs) };
  const largest = 2 ** bits - 1;
  return {
    weights: SUPER_BLOCK,
    run,
    values: countingFrom(0, 2 ** bits),
    fit(x, from, importance, at, out) {
      const variance = importance
        ? fround(fround(type.spread * sumOfSquares(x, from, SUPER_BLOCK)) / SUPER_BLOCK)
        : 0;
      const search = importance ? WITH_IMPORTANCE : type.search;
      for (let k = 0; k < runs; k++) {
        const begin = from + k * run;
        if (importance) weighByImportance(x, begin, importance, at + k * run, variance, weights);
        else weighBySize(x, begin, type.plain, weights);
        runWeights[k] = importance ? sumOf(weights) : 0;
        searchScaleAndMinimum(x, begin, run, weights, largest, search, out.codes, k * run, line);
        scales[k] = line.scale;
        minimums[k] = line.minimum;
      }
      if (importance) {
        out.d = toF16(searchPositiveScale(scales, steps, runWeights, found.scales));
        out.dmin = toF16(searchPositiveScale(minimums, steps, runWeights, found.minimums));
      } else {
        out.d = toF16(byLargest(scales, steps, found.scales));
        out.dmin = toF16(byLargest(minimums, steps, found.minimums));
      }
      out.scales.set(found.scales);
      out.minimums.set(found.minimums);
      takeCodes(x, from, run, largest, out);
    },
  };
}

/** Σw², in order. */
export function sumOfSquares(x: Float32Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum = fround(sum + fround(x[i] * x[i]));
  return sum;
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum = fround(sum + value);
  return sum;
}

function weighBySize(
  x: Float32Array,
  from: number,
  plain: TwoConstants["plain"],
  weights: Float32Array,
): void {
  const count = weights.length;
  const mean = plain === "magnitude" ? 0 : fround(Math.sqrt(fround(sumOfSquares(x, from, count) / count)));
  for (let i = 0; i < count; i++) weights[i] = mean + Math.abs(x[from + i]);
}

/** weights = importance·√(variance + w²). */
export function weighByImportance(
  x: Float32Array,
  from: number,
  importance: Float32Array,
  at: number,
  variance: number,
  weights: Float32Array,
): void {
  for (let i = 0; i < weights.length; i++) {
    const value = x[from + i];
    weights[i] = importance[at + i] * fround(Math.sqrt(fround(variance + fround(value * value))));
  }
}

/** Integers 0 … steps of numbers that are not negative, the largest of them becoming `steps`; returns what one step is worth. */
function byLargest(values: Float32Array, steps: number, codes: Uint8Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  const inverse = most > 0 ? fround(steps / most) : 0;
  for (let i = 0; i < codes.length; i++) codes[i] = Math.min(steps, nearest(fround(inverse * values[i])));
  return fround(most / steps);
}

/** Codes with the constants as they are stored; a run whose scale is 0 keeps those of the search. */
function takeCodes(x: Float32Array, from: number, run: number, largest: number, out: FittedBlock): void {
  const { codes, scales, minimums } = out;
  for (let i = 0; i < SUPER_BLOCK; i += run) {
    const scale = fround(out.d * scales[i / run]);
    if (scale === 0) continue;
    const minimum = fround(out.dmin * minimums[i / run]);
    for (let j = i; j < i + run; j++)
      codes[j] = between(nearest(fround(fround(x[from + j] + minimum) / scale)), 0, largest);
  }
}
