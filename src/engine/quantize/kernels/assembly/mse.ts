import {
  CANDIDATE_ERRORS,
  CANDIDATE_FIRST,
  CANDIDATE_HIGH,
  CANDIDATE_LOW,
  CANDIDATE_SECOND,
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
import { intOf, roundTrip, rtnOf } from "./roundTrip";
import { codec, INT, largest, RTN, smallest } from "./settings";
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

/** The search over one block in memory: a candidate is given up once its sum is no longer below the least so far. */
function search(at: usize, length: i32): f32 {
  let best: f32 = load<f32>(CANDIDATE_THRESHOLD);
  let least: f64 = Infinity;
  for (let k = 0; k < CANDIDATES; k++) {
    clearLanes(LANES);
    const error = addErrors(k, LANES, at, length, least);
    if (error < least) {
      least = error;
      best = load<f32>(CANDIDATE_THRESHOLD + (<usize>k << 2));
    }
  }
  return best;
}

/** Adds candidate k's squared errors to `lanes`; returns their total, or one not below `limit` before the end. */
function addErrors(k: i32, lanes: usize, at: usize, length: i32, limit: f64): f64 {
  const slot = <usize>k << 2;
  const threshold = load<f32>(CANDIDATE_THRESHOLD + slot);
  const first = load<f32>(CANDIDATE_FIRST + slot);
  const second = load<f32>(CANDIDATE_SECOND + slot);
  if (codec == RTN) return addRounded(true, lanes, at, length, limit, threshold, first, second);
  if (codec == INT) return addRounded(false, lanes, at, length, limit, threshold, first, second);
  let error: f64 = 0;
  for (let done = 0; done < length; done += STRETCH) {
    const from = at + (<usize>done << 2);
    const stretch = min(STRETCH, length - done);
    roundTrip(from, SCRATCH, stretch, threshold, first, second);
    addSquaredErrors(lanes, from, SCRATCH, stretch);
    error = totalOfLanes(lanes);
    if (error >= limit) break;
  }
  return error;
}

/** The same for the codecs that round, without a detour over SCRATCH. */
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
): f64 {
  const t = f32x4.splat(threshold);
  const minus = f32x4.neg(t);
  const a = f32x4.splat(first);
  const b = f32x4.splat(second);
  const bottom = f32x4.splat(smallest);
  const top = f32x4.splat(largest);
  let lower = v128.load(lanes, 0);
  let upper = v128.load(lanes, 16);
  const end = at + (<usize>length << 2);
  while (at < end) {
    for (const pause = min(at + (<usize>STRETCH << 2), end); at < pause; at += 16) {
      let w = v128.load(at);
      const cut = clampTo(w, t, minus);
      let restored = isRtn ? rtnOf(cut, a, b) : intOf(cut, a, b, bottom, top);
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
    if (laneTotal(lower, upper) >= limit) break;
  }
  v128.store(lanes, lower, 0);
  v128.store(lanes, upper, 16);
  return laneTotal(lower, upper);
}
