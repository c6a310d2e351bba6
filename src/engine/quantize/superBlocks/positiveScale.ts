import { LEAST_MAGNITUDE } from "./form.ts";
import { nearest } from "./nearest.ts";

const { fround } = Math;
const TENTH = fround(0.1);
/** Scales tried on each side of the first one. */
const TRIES = 4;
/** Rounds in which codes are changed one by one. */
const ROUNDS = 5;

let sumXL = 0;
let sumL2 = 0;

/**
 * One scale for numbers that are not negative, x ≈ scale·code, codes 0 … largest, of least Σ weight·(x − scale·code)²: nine scales are tried, then
 * codes are changed one by one, up to five rounds. All in f32, sums in order.
 * @returns the scale; 0 with codes 0 where all are 0
 */
export function searchPositiveScale(
  x: Float32Array,
  largest: number,
  weights: Float32Array,
  codes: Uint8Array,
): number {
  const count = codes.length;
  let most = 0;
  for (let i = 0; i < count; i++) most = Math.max(most, x[i]);
  if (most < LEAST_MAGNITUDE) {
    codes.fill(0);
    return 0;
  }
  let best = fround(largest / most);
  let least = errorOf(x, weights, count, best, Infinity);
  for (let i = -TRIES; i <= TRIES; i++) {
    if (i === 0) continue;
    const inverse = fround(fround(fround(TENTH * i) + largest) / most);
    const error = errorOf(x, weights, count, inverse, largest);
    if (error < least) {
      least = error;
      best = inverse;
    }
  }
  sumXL = 0;
  sumL2 = 0;
  for (let i = 0; i < count; i++) {
    const code = Math.min(largest, nearest(fround(best * x[i])));
    codes[i] = code;
    sumXL = fround(sumXL + fround(fround(weights[i] * x[i]) * code));
    sumL2 = fround(sumL2 + fround(fround(weights[i] * code) * code));
  }
  for (let round = 0; round < ROUNDS && changeCodes(x, largest, weights, codes); round++);
  return sumL2 > 0 ? fround(sumXL / sumL2) : 0;
}

function errorOf(
  x: Float32Array,
  weights: Float32Array,
  count: number,
  inverse: number,
  largest: number,
): number {
  const scale = fround(1 / inverse);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const code = Math.min(largest, nearest(fround(inverse * x[i])));
    const off = fround(x[i] - fround(scale * code));
    sum = fround(sum + fround(fround(weights[i] * off) * off));
  }
  return sum;
}

/** One round; whether a code was changed. */
function changeCodes(x: Float32Array, largest: number, weights: Float32Array, codes: Uint8Array): boolean {
  let changed = false;
  for (let i = 0; i < codes.length; i++) {
    const weight = weights[i];
    const weighted = fround(weight * x[i]);
    const code = codes[i];
    let xl = fround(sumXL - fround(weighted * code));
    let l2 = fround(sumL2 - fround(fround(weight * code) * code));
    if (!(xl > 0 && l2 > 0)) continue;
    const other = Math.min(largest, nearest(fround(fround(x[i] * l2) / xl)));
    if (other === code) continue;
    xl = fround(xl + fround(weighted * other));
    l2 = fround(l2 + fround(fround(weight * other) * other));
    if (fround(fround(xl * xl) * sumL2) > fround(fround(sumXL * sumXL) * l2)) {
      codes[i] = other;
      sumXL = xl;
      sumL2 = l2;
      changed = true;
    }
  }
  return changed;
}
