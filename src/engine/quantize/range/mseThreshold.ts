import type { Scheme } from "../schemes/scheme.ts";
import { clampTo } from "./clipThreshold.ts";
import { totalOfLanes } from "../plan/statistics.ts";

/** Weights handled at once, a multiple of the lanes: their copies stay in the first cache level. */
const CHUNK = 2048;
const clamped = new Float32Array(CHUNK);
const decoded = new Float32Array(CHUNK);
const codes = new Uint8Array(CHUNK);
const lanes = new Float64Array(4);

/**
 * The threshold t = r·max|w|, r = 1.00, 0.99 … 0.50, of least Σ(w − ŵ)² with this scheme; ties go to the larger r.
 * ŵ is the scheme's f32 value before it is rounded to the storage type. Leaves the scheme's block fitted to some r.
 */
export function mseThreshold(
  scheme: Scheme,
  block: number,
  source: Float32Array,
  from: number,
  to: number,
  low: number,
  high: number,
): number {
  const values = { source, from, to };
  const largest = Math.max(-low, high);
  let best = largest;
  let least = Infinity;
  for (let percent = 100; percent >= 50; percent--) {
    const threshold = Math.fround((percent / 100) * largest);
    scheme.fit(block, clamp(low, threshold), clamp(high, threshold), values);
    const error = clippedError(scheme, block, source, from, to, threshold, least);
    if (error < least) {
      least = error;
      best = threshold;
    }
  }
  return best;
}

/** Σ(w − ŵ)² of a block with its scheme fitted to the threshold; may stop early once it is no longer below `limit`. */
function clippedError(
  scheme: Scheme,
  block: number,
  source: Float32Array,
  from: number,
  to: number,
  threshold: number,
  limit: number,
): number {
  lanes.fill(0);
  for (let start = from; start < to && totalOfLanes(lanes) < limit; start += CHUNK) {
    const count = Math.min(CHUNK, to - start);
    for (let i = 0; i < count; i++) clamped[i] = source[start + i];
    clampTo(clamped, 0, count, threshold);
    scheme.encode(block, clamped, 0, count, codes, 0);
    scheme.decode(block, codes, 0, count, decoded, 0);
    for (let i = 0; i < count; i++) {
      const difference = source[start + i] - decoded[i];
      lanes[i & 3] += difference * difference;
    }
  }
  return totalOfLanes(lanes);
}

/** `value` cut to [−threshold, threshold]. */
export function clamp(value: number, threshold: number): number {
  return Math.min(Math.max(value, -threshold), threshold);
}
