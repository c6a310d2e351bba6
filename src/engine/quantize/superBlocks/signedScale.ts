import { LEAST_MAGNITUDE } from "./form.ts";
import { between, nearest } from "./nearest.ts";

const { fround } = Math;
const TENTH = fround(0.1);
/** Scales tried on each side of the first one. */
const TRIES = 9;
/** Rounds in which codes are changed one by one. */
const ROUNDS = 5;

/** The value of largest magnitude in a run, the first of equal ones. */
export function furthestOf(x: Float32Array, from: number, count: number): number {
  let furthest = 0;
  let magnitude = 0;
  for (let i = from; i < from + count; i++) {
    const each = Math.abs(x[i]);
    if (each <= magnitude) continue;
    magnitude = each;
    furthest = x[i];
  }
  return furthest;
}

let sumXL = 0;
let sumL2 = 0;

/**
 * The scale of least Σ weight·(w − scale·l)², l = −largest … largest − 1: the one that takes the value furthest from 0 to −largest, or one
 * of nine on each side of it. codes[at …] = l + largest; all 0 where the run is. All in f32, sums in order.
 * @param weights of the run, from `first` on; null = w²
 * @returns the scale
 */
export function searchSignedScale(
  x: Float32Array,
  from: number,
  count: number,
  largest: number,
  weights: Float32Array | null,
  first: number,
  codes: Uint8Array,
  at: number,
): number {
  const furthest = furthestOf(x, from, count);
  if (Math.abs(furthest) < LEAST_MAGNITUDE) {
    codes.fill(0, at, at + count);
    return 0;
  }
  let inverse = fround(-largest / furthest);
  addUp(x, from, count, largest, inverse, weights, first);
  let best = inverse;
  let scale = sumL2 === 0 ? 0 : fround(sumXL / sumL2);
  let gain = fround(scale * sumXL);
  for (let i = -TRIES; i <= TRIES; i++) {
    if (i === 0) continue;
    inverse = fround(-fround(largest + fround(TENTH * i)) / furthest);
    addUp(x, from, count, largest, inverse, weights, first);
    if (sumL2 > 0 && fround(sumXL * sumXL) > fround(gain * sumL2)) {
      best = inverse;
      scale = fround(sumXL / sumL2);
      gain = fround(scale * sumXL);
    }
  }
  for (let i = 0; i < count; i++)
    codes[at + i] = between(nearest(fround(best * x[from + i])), -largest, largest - 1) + largest;
  return scale;
}

/** sumXL = Σ weight·w·l, sumL2 = Σ weight·l². */
function addUp(
  x: Float32Array,
  from: number,
  count: number,
  largest: number,
  inverse: number,
  weights: Float32Array | null,
  first: number,
): void {
  let xl = 0;
  let l2 = 0;
  for (let i = 0; i < count; i++) {
    const value = x[from + i];
    const l = between(nearest(fround(inverse * value)), -largest, largest - 1);
    const weight = weights ? weights[first + i] : fround(value * value);
    xl = fround(xl + fround(fround(weight * value) * l));
    l2 = fround(l2 + fround(fround(weight * l) * l));
  }
  sumXL = xl;
  sumL2 = l2;
}

const signedCodes = new Int8Array(32);

/**
 * The same without trying scales, with weights w²: codes at the scale of the value furthest from 0, then up to five rounds that change
 * one code at a time where that raises (Σ weight·w·l)²/Σ weight·l². codes[at …] = l + largest.
 * @returns the scale
 */
export function refineSignedScale(
  x: Float32Array,
  from: number,
  count: number,
  largest: number,
  codes: Uint8Array,
  at: number,
): number {
  const furthest = furthestOf(x, from, count);
  if (Math.abs(furthest) < LEAST_MAGNITUDE) {
    codes.fill(0, at, at + count);
    return 0;
  }
  const inverse = fround(-largest / furthest);
  addUp(x, from, count, largest, inverse, null, 0);
  for (let i = 0; i < count; i++)
    signedCodes[i] = between(nearest(fround(inverse * x[from + i])), -largest, largest - 1);
  for (let round = 0; round < ROUNDS && changeCodes(x, from, count, largest); round++);
  for (let i = 0; i < count; i++) codes[at + i] = signedCodes[i] + largest;
  return sumL2 > 0 ? fround(sumXL / sumL2) : 0;
}

/** One round; whether a code was changed. */
function changeCodes(x: Float32Array, from: number, count: number, largest: number): boolean {
  let changed = false;
  for (let i = 0; i < count; i++) {
    const value = x[from + i];
    const weight = fround(value * value);
    const weighted = fround(weight * value);
    const l = signedCodes[i];
    let xl = fround(sumXL - fround(weighted * l));
    if (!(xl > 0)) continue;
    let l2 = fround(sumL2 - fround(fround(weight * l) * l));
    const other = between(nearest(fround(fround(value * l2) / xl)), -largest, largest - 1);
    if (other === l) continue;
    xl = fround(xl + fround(weighted * other));
    l2 = fround(l2 + fround(fround(weight * other) * other));
    if (l2 > 0 && fround(fround(xl * xl) * sumL2) > fround(fround(sumXL * sumXL) * l2)) {
      signedCodes[i] = other;
      sumXL = xl;
      sumL2 = l2;
      changed = true;
    }
  }
  return changed;
}
