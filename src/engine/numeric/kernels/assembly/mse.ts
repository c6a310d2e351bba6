import {
  CANDIDATE_ERRORS,
  CANDIDATE_FIRST,
  CANDIDATE_HIGH,
  CANDIDATE_LOW,
  CANDIDATE_SECOND,
  CANDIDATE_THIRD,
  CANDIDATE_THRESHOLD,
  CANDIDATES,
  HIGH,
  INPUT,
  LANES,
  LOW,
  RATIOS,
  SCRATCH,
  THRESHOLD,
} from "./layout";
import { fit } from "./fit";
import { afterOf, beforeOf, integerOf } from "./integer";
import { roundTrip, rtnOf } from "./roundTrip";
import { scheme, INT, largest, MATMULNBITS, RTN, smallest } from "./settings";
import { addSquaredErrors, clearLanes, totalOfLanes } from "./sums";
import { clampTo, firstLanes, laneTotal, lowerHalf, upperHalf } from "./vectors";

/** Weights between two looks at whether a candidate has already lost; also what stays in the first cache level. */
const STRETCH: i32 = 64;

for (let k = 0; k < CANDIDATES; k++) store<f64>(RATIOS + (<usize>k << 3), <f64>(100 - k) / 100);

/**
 * Begins the search of one block: thresholds r·max|w| (product in f64), constants and empty sums of every candidate.
 * @returns false where the block's constants overflow
 */
export function beginSearch(low: f32, high: f32): bool {
  const span = <f64>max(-low, high);
  for (let k = 0; k < CANDIDATES; k++) {
    const at = <usize>k << 2;
    store<f32>(CANDIDATE_THRESHOLD + at, <f32>(load<f64>(RATIOS + (<usize>k << 3)) * span));
    store<f32>(CANDIDATE_LOW + at, low);
    store<f32>(CANDIDATE_HIGH + at, high);
    clearLanes(CANDIDATE_ERRORS + (<usize>k << 5));
  }
  return fit(
    CANDIDATE_LOW,
    CANDIDATE_HIGH,
    CANDIDATE_THRESHOLD,
    CANDIDATE_FIRST,
    CANDIDATE_SECOND,
    CANDIDATE_THIRD,
    CANDIDATES,
  );
}

/** Adds the error of the first `count` weights of INPUT, a piece of one block, to every candidate's sums. */
export function addToSearch(count: i32): void {
  for (let k = 0; k < CANDIDATES; k++) {
    addErrors(k, CANDIDATE_ERRORS + (<usize>k << 5), INPUT, count, Infinity);
  }
}

/** The threshold of least error after {@link addToSearch}; ties go to the larger. */
export function endSearch(): f32 {
  let best: f32 = load<f32>(CANDIDATE_THRESHOLD);
  let least: f64 = Infinity;
  for (let k = 0; k < CANDIDATES; k++) {
    const error = totalOfLanes(CANDIDATE_ERRORS + (<usize>k << 5));
    if (error < least) {
      least = error;
      best = load<f32>(CANDIDATE_THRESHOLD + (<usize>k << 2));
    }
  }
  return best;
}

/** The THRESHOLD of every whole block in INPUT; false where constants overflow. Needs LOW and HIGH. */
export function mseThresholds(size: i32, count: i32): bool {
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    if (!beginSearch(load<f32>(LOW + block), load<f32>(HIGH + block))) return false;
    store<f32>(THRESHOLD + block, search(INPUT + (<usize>from << 2), min(size, count - from)));
  }
  return true;
}

/** Stride at which the search begins; it is halved until every candidate was looked at. */
const COARSE: i32 = 16;
/** Looking for what a candidate cuts off pays at every stride in blocks up to this length, else at strides of 4 and more. */
const SHORT: i32 = 256;

/**
 * The search over one block in memory: the least error, and of equal ones the largest threshold. Coarse steps first, so that the
 * least so far is soon near the least of all: a candidate is given up once its sum is past it, and all from one on once what
 * that one cuts off alone is.
 */
function search(at: usize, length: i32): f32 {
  let best = 0;
  let least: f64 = Infinity;
  let end = CANDIDATES;
  for (let stride = COARSE; stride > 0; stride >>= 1) {
    const coarse = stride == COARSE;
    const bounded = length <= SHORT || stride >= 4;
    for (let k = coarse ? 0 : stride; k < end; k += coarse ? stride : stride << 1) {
      if (bounded && <f64>cutOff(k, at, length) > least) {
        end = k;
        break;
      }
      clearLanes(LANES);
      const error = addErrors(k, LANES, at, length, least);
      if (error < least || (error == least && k < best)) {
        least = error;
        best = k;
      }
    }
  }
  return load<f32>(CANDIDATE_THRESHOLD + (<usize>best << 2));
}

/** Up to this magnitude the squares below cannot overflow. */
const ORDINARY: f32 = 1099511627776; // 2^40

/**
 * A lower bound of Σ(w − ŵ)² for candidate k and all smaller ones: Σ max(|w| − reach, 0)², where no |ŵ| is past the reach.
 * Reach: the threshold, what rounding the constants (f16 scales, smallest scales) can add, and for integer codes half a step, by
 * which a rounded zero point, or symmetric codes that are one more on the negative side, move the range. None of these grows with k. Slack far above f32's own errors keeps it a bound.
 */
function cutOff(k: i32, at: usize, length: i32): f32 {
  if (load<f32>(CANDIDATE_THRESHOLD) > ORDINARY) return 0;
  const slot = <usize>k << 2;
  const isInteger = scheme == INT || scheme == MATMULNBITS;
  const halfStep: f32 = isInteger ? abs(load<f32>(CANDIDATE_FIRST + slot)) * 0.5 : 0;
  const rounding: f32 = (largest + 1) * 5.9604644775390625e-8; // 2^−24 a level
  const reach = f32x4.splat((load<f32>(CANDIDATE_THRESHOLD + slot) + halfStep) * 1.00390625 + rounding);
  const none = f32x4.splat(0);
  let sum = none;
  const whole = at + (<usize>(length & ~3) << 2);
  for (; at < whole; at += 16) {
    const past = f32x4.pmax(f32x4.sub(f32x4.abs(v128.load(at)), reach), none);
    sum = f32x4.add(sum, f32x4.mul(past, past));
  }
  const total =
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 1) +
    f32x4.extract_lane(sum, 2) +
    f32x4.extract_lane(sum, 3);
  return total * 0.99609375;
}

/** Adds candidate k's squared errors to `lanes`; returns their total, or one past `limit` before the end. */
function addErrors(k: i32, lanes: usize, at: usize, length: i32, limit: f64): f64 {
  const slot = <usize>k << 2;
  const threshold = load<f32>(CANDIDATE_THRESHOLD + slot);
  const first = load<f32>(CANDIDATE_FIRST + slot);
  const second = load<f32>(CANDIDATE_SECOND + slot);
  const third = load<f32>(CANDIDATE_THIRD + slot);
  if (scheme == RTN) return addRounded(true, lanes, at, length, limit, threshold, first, second, third);
  if (scheme == INT) return addRounded(false, lanes, at, length, limit, threshold, first, second, third);
  let error: f64 = 0;
  for (let done = 0; done < length; done += STRETCH) {
    const from = at + (<usize>done << 2);
    const stretch = min(STRETCH, length - done);
    roundTrip(from, SCRATCH, stretch, threshold, first, second, third);
    addSquaredErrors(lanes, from, SCRATCH, stretch);
    error = totalOfLanes(lanes);
    if (error > limit) break;
  }
  return error;
}

/** The same for the schemes that round, without a detour over SCRATCH. */
@inline
function addRounded(
  isRtn: bool,
  lanes: usize,
  at: usize,
  length: i32,
  limit: f64,
  threshold: f32,
  first: f32,
  second: f32,
  third: f32,
): f64 {
  const t = f32x4.splat(threshold);
  const minus = f32x4.neg(t);
  const a = f32x4.splat(first);
  const b = f32x4.splat(second);
  const divisor = f32x4.splat(third);
  const before = beforeOf(b);
  const after = afterOf(b);
  const bottom = f32x4.splat(smallest);
  const top = f32x4.splat(largest);
  let lower = v128.load(lanes, 0);
  let upper = v128.load(lanes, 16);
  const end = at + (<usize>length << 2);
  while (at < end) {
    for (const pause = min(at + (<usize>STRETCH << 2), end); at < pause; at += 16) {
      let w = v128.load(at);
      const cut = clampTo(w, t, minus);
      let restored = isRtn ? rtnOf(cut, a, b) : integerOf(cut, a, b, divisor, before, after, bottom, top);
      if (at + 16 > end) {
        const inside = firstLanes(<i32>(end - at) >> 2);
        w = v128.and(w, inside);
        restored = v128.and(restored, inside);
      }
      const lowerError = f64x2.sub(lowerHalf(w), lowerHalf(restored));
      const upperError = f64x2.sub(upperHalf(w), upperHalf(restored));
      lower = f64x2.add(lower, f64x2.mul(lowerError, lowerError));
      upper = f64x2.add(upper, f64x2.mul(upperError, upperError));
    }
    if (laneTotal(lower, upper) > limit) break;
  }
  v128.store(lanes, lower, 0);
  v128.store(lanes, upper, 16);
  return laneTotal(lower, upper);
}
