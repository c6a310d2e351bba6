import { ERRORS, INPUT, LANES, LARGEST, ORIGINAL, OUTPUT, SQUARES, THRESHOLD } from "./layout";
import { firstLanes, laneTotal, lowerHalf, upperHalf } from "./vectors";

/*
 * Sums are kept in four f64 lanes: value i goes to lane i mod 4, in ascending order, and the total is (0 + 2) + (1 + 3).
 * Lanes live in memory, so that a sum may go on over several calls.
 */

/** Sets four lanes to 0. */
export function clearLanes(lanes: usize): void {
  v128.store(lanes, i64x2.splat(0), 0);
  v128.store(lanes, i64x2.splat(0), 16);
}

/** The total of four lanes. */
export function totalOfLanes(lanes: usize): f64 {
  return laneTotal(v128.load(lanes, 0), v128.load(lanes, 16));
}

/** lanes += (w − ŵ)² of `length` weights at `from` against those at `to`; `from` is a block's weight 4k. */
export function addSquaredErrors(lanes: usize, from: usize, to: usize, length: i32): void {
  let lower = v128.load(lanes, 0);
  let upper = v128.load(lanes, 16);
  for (let left = length; left > 0; left -= 4, from += 16, to += 16) {
    let w = v128.load(from);
    let restored = v128.load(to);
    if (left < 4) {
      const inside = firstLanes(left);
      w = v128.and(w, inside);
      restored = v128.and(restored, inside);
    }
    const lowerError = f64x2.sub(lowerHalf(w), lowerHalf(restored));
    const upperError = f64x2.sub(upperHalf(w), upperHalf(restored));
    lower = f64x2.add(lower, f64x2.mul(lowerError, lowerError));
    upper = f64x2.add(upper, f64x2.mul(upperError, upperError));
  }
  v128.store(lanes, lower, 0);
  v128.store(lanes, upper, 16);
}

/** lanes += |w| of `length` weights of INPUT from `at` on. */
export function addMagnitudes(lanes: usize, at: usize, length: i32): void {
  let lower = v128.load(lanes, 0);
  let upper = v128.load(lanes, 16);
  for (let left = length; left > 0; left -= 4, at += 16) {
    let w = f32x4.abs(v128.load(at));
    if (left < 4) w = v128.and(w, firstLanes(left));
    lower = f64x2.add(lower, lowerHalf(w));
    upper = f64x2.add(upper, upperHalf(w));
  }
  v128.store(lanes, lower, 0);
  v128.store(lanes, upper, 16);
}

/** lanes += (|w| − mean)². */
export function addSquaredDeviations(lanes: usize, at: usize, length: i32, mean: f64): void {
  const middle = f64x2.splat(mean);
  let lower = v128.load(lanes, 0);
  let upper = v128.load(lanes, 16);
  for (let left = length; left > 0; left -= 4, at += 16) {
    const w = f32x4.abs(v128.load(at));
    let lowerDeviation = f64x2.sub(lowerHalf(w), middle);
    let upperDeviation = f64x2.sub(upperHalf(w), middle);
    if (left < 4) {
      const inside = firstLanes(left);
      lowerDeviation = v128.and(lowerDeviation, i32x4.shuffle(inside, inside, 0, 0, 1, 1));
      upperDeviation = v128.and(upperDeviation, i32x4.shuffle(inside, inside, 2, 2, 3, 3));
    }
    lower = f64x2.add(lower, f64x2.mul(lowerDeviation, lowerDeviation));
    upper = f64x2.add(upper, f64x2.mul(upperDeviation, upperDeviation));
  }
  v128.store(lanes, lower, 0);
  v128.store(lanes, upper, 16);
}

/** mean|w| + z·std|w| for each block's THRESHOLD (sample standard deviation, 0 for one weight). */
export function zscoreThresholds(size: i32, count: i32, z: f64): void {
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const at = INPUT + (<usize>from << 2);
    const length = min(size, count - from);
    clearLanes(LANES);
    addMagnitudes(LANES, at, length);
    const mean = totalOfLanes(LANES) / <f64>length;
    clearLanes(LANES);
    addSquaredDeviations(LANES, at, length, mean);
    const deviation = length > 1 ? Math.sqrt(totalOfLanes(LANES) / <f64>(length - 1)) : 0;
    store<f32>(THRESHOLD + block, <f32>(mean + z * deviation));
  }
}

/** How many of the first `count` weights of INPUT their blocks' thresholds change. */
export function countClipped(size: i32, count: i32): i32 {
  let changed = i32x4.splat(0);
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const threshold = v128.load32_splat(THRESHOLD + block);
    let at = INPUT + (<usize>from << 2);
    for (let left = min(size, count - from); left > 0; left -= 4, at += 16) {
      let past = f32x4.gt(f32x4.abs(v128.load(at)), threshold);
      if (left < 4) past = v128.and(past, firstLanes(left));
      changed = i32x4.sub(changed, past);
    }
  }
  return (
    i32x4.extract_lane(changed, 0) +
    i32x4.extract_lane(changed, 1) +
    i32x4.extract_lane(changed, 2) +
    i32x4.extract_lane(changed, 3)
  );
}

/** Begins the sums of a tensor. */
export function clearStatistics(): void {
  clearLanes(SQUARES);
  clearLanes(ERRORS);
  clearLanes(LARGEST);
}

/**
 * SQUARES += w², ERRORS += (w − ŵ)², LARGEST = the largest |w − ŵ| so far, over the first `count` weights.
 * @param skip the first weight's index in its tensor mod 4: its lane
 * @param original whether w is in ORIGINAL, else in INPUT
 */
export function addStatistics(count: i32, skip: i32, original: bool): void {
  let from = (original ? ORIGINAL : INPUT) - (<usize>skip << 2);
  let to = OUTPUT - (<usize>skip << 2);
  let lowerSquares = v128.load(SQUARES, 0);
  let upperSquares = v128.load(SQUARES, 16);
  let lowerErrors = v128.load(ERRORS, 0);
  let upperErrors = v128.load(ERRORS, 16);
  let largest = v128.load(LARGEST, 0);
  let inside = v128.not(firstLanes(skip));
  for (let left = count + skip; left > 0; left -= 4, from += 16, to += 16) {
    if (left < 4) inside = v128.and(inside, firstLanes(left));
    const w = v128.and(v128.load(from), inside);
    const restored = v128.and(v128.load(to), inside);
    inside = i32x4.splat(-1);
    const lower = lowerHalf(w);
    const upper = upperHalf(w);
    const lowerError = f64x2.sub(lower, lowerHalf(restored));
    const upperError = f64x2.sub(upper, upperHalf(restored));
    lowerSquares = f64x2.add(lowerSquares, f64x2.mul(lower, lower));
    upperSquares = f64x2.add(upperSquares, f64x2.mul(upper, upper));
    lowerErrors = f64x2.add(lowerErrors, f64x2.mul(lowerError, lowerError));
    upperErrors = f64x2.add(upperErrors, f64x2.mul(upperError, upperError));
    largest = f64x2.pmax(f64x2.pmax(largest, f64x2.abs(lowerError)), f64x2.abs(upperError));
  }
  v128.store(SQUARES, lowerSquares, 0);
  v128.store(SQUARES, upperSquares, 16);
  v128.store(ERRORS, lowerErrors, 0);
  v128.store(ERRORS, upperErrors, 16);
  v128.store(LARGEST, largest, 0);
}

/** The largest |w − ŵ| so far. */
export function largestError(): f64 {
  return max(load<f64>(LARGEST, 0), load<f64>(LARGEST, 8));
}
