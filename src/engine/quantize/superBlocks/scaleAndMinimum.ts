import { between, nearest } from "./nearest.ts";

const { fround } = Math;

/** The scales that are tried: (largest + first + step·i)/(max − min), i = 0 … steps. */
export interface AffineSearch {
  readonly first: number;
  readonly step: number;
  readonly steps: number;
  /** Whether |error| is summed, and not its square. */
  readonly absolute: boolean;
}

/** A search as f32 has its numbers. */
export function affineSearch(first: number, step: number, steps: number, absolute = false): AffineSearch {
  return { first: fround(first), step: fround(step), steps, absolute };
}

const LONGEST_RUN = 32;
const tried = new Uint8Array(LONGEST_RUN);

/** What a run is made into: w ≈ scale·code − minimum, both at least 0. */
export interface ScaleAndMinimum {
  scale: number;
  minimum: number;
}

/**
 * The scale and minimum of a run of least Σ weight·|w − ŵ|² (or |w − ŵ|): for each scale tried, codes are taken with it and the
 * best line through them is solved for; the minimum of the best so far is the next one's. All in f32, sums in order.
 * @param weights of the run, from 0 on
 * @param codes receives the run's codes at `from` on
 */
export function searchScaleAndMinimum(
  x: Float32Array,
  from: number,
  count: number,
  weights: Float32Array,
  largest: number,
  search: AffineSearch,
  codes: Uint8Array,
  at: number,
  out: ScaleAndMinimum,
): void {
  let low = x[from];
  let high = low;
  let sumW = weights[0];
  let sumX = fround(sumW * low);
  for (let i = 1; i < count; i++) {
    const value = x[from + i];
    if (value < low) low = value;
    if (value > high) high = value;
    sumW = fround(sumW + weights[i]);
    sumX = fround(sumX + fround(weights[i] * value));
  }
  if (low > 0) low = 0;
  if (high === low) {
    codes.fill(0, at, at + count);
    out.scale = 0;
    out.minimum = -low;
    return;
  }
  let inverse = fround(largest / fround(high - low));
  let scale = fround(1 / inverse);
  takeCodes(x, from, count, low, inverse, largest);
  codes.set(tried.subarray(0, count), at);
  let least = errorOf(x, from, count, weights, scale, low, search.absolute);
  for (let step = 0; step <= search.steps; step++) {
    inverse = fround(
      fround(fround(search.first + fround(search.step * step)) + largest) / fround(high - low),
    );
    takeCodes(x, from, count, low, inverse, largest);
    let sumL = 0;
    let sumL2 = 0;
    let sumXL = 0;
    for (let i = 0; i < count; i++) {
      const code = tried[i];
      const weighted = fround(weights[i] * code);
      sumL = fround(sumL + weighted);
      sumL2 = fround(sumL2 + fround(weighted * code));
      sumXL = fround(sumXL + fround(weighted * x[from + i]));
    }
    const determinant = fround(fround(sumW * sumL2) - fround(sumL * sumL));
    if (!(determinant > 0)) continue;
    let thisScale = fround(fround(fround(sumW * sumXL) - fround(sumX * sumL)) / determinant);
    let thisLow = fround(fround(fround(sumL2 * sumX) - fround(sumL * sumXL)) / determinant);
    if (thisLow > 0) {
      thisLow = 0;
      thisScale = fround(sumXL / sumL2);
    }
    const error = errorOf(x, from, count, weights, thisScale, thisLow, search.absolute);
    if (!(error < least)) continue;
    codes.set(tried.subarray(0, count), at);
    least = error;
    scale = thisScale;
    low = thisLow;
  }
  out.scale = scale;
  out.minimum = -low;
}

/** tried = the codes of a run with a line's low end and inverse scale. */
function takeCodes(
  x: Float32Array,
  from: number,
  count: number,
  low: number,
  inverse: number,
  largest: number,
): void {
  for (let i = 0; i < count; i++)
    tried[i] = between(nearest(fround(inverse * fround(x[from + i] - low))), 0, largest);
}

/** Σ weight·error of the codes in `tried`. */
function errorOf(
  x: Float32Array,
  from: number,
  count: number,
  weights: Float32Array,
  scale: number,
  low: number,
  absolute: boolean,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const off = fround(fround(fround(scale * tried[i]) + low) - x[from + i]);
    sum = fround(sum + fround(weights[i] * (absolute ? Math.abs(off) : fround(off * off))));
  }
  return sum;
}
