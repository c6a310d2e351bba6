import { HIGH, INPUT, LOW } from "./layout";
import { firstLanes } from "./vectors";

/**
 * LOW and HIGH of every block of `size` weights among the first `count` of INPUT; the last may be shorter.
 * Of zeros, −0 is the smaller, as for Math.min and Math.max.
 */
export function ranges(size: i32, count: i32): void {
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const at = INPUT + (<usize>from << 2);
    const length = min(size, count - from);
    const start = v128.load32_splat(at);
    let low = start;
    let high = start;
    for (let i = 0; i + 4 <= length; i += 4) {
      const w = v128.load(at + (<usize>i << 2));
      low = f32x4.pmin(low, w);
      high = f32x4.pmax(high, w);
    }
    const rest = length & 3;
    if (rest) {
      const w = v128.load(at + (<usize>(length - rest) << 2));
      const inside = v128.bitselect(w, start, firstLanes(rest));
      low = f32x4.pmin(low, inside);
      high = f32x4.pmax(high, inside);
    }
    let lowest = smallestLane(low);
    let highest = -smallestLane(f32x4.neg(high));
    if (lowest == 0 || highest == 0) {
      lowest = signedZero(lowest, at, length, true);
      highest = signedZero(highest, at, length, false);
    }
    store<f32>(LOW + block, lowest);
    store<f32>(HIGH + block, highest);
  }
}

@inline
function smallestLane(w: v128): f32 {
  const pairs = f32x4.pmin(w, i64x2.shuffle(w, w, 1, 1));
  return f32x4.extract_lane(f32x4.pmin(pairs, i32x4.shuffle(pairs, pairs, 1, 1, 1, 1)), 0);
}

/** An extreme of 0 with the sign that Math.min or Math.max gives it; other extremes as they are. */
function signedZero(extreme: f32, at: usize, length: i32, isLow: bool): f32 {
  if (extreme != 0) return extreme;
  const sought: u32 = isLow ? 0x80000000 : 0;
  for (let i = 0; i < length; i++) {
    if (load<u32>(at + (<usize>i << 2)) == sought) return reinterpret<f32>(sought);
  }
  return reinterpret<f32>(sought ^ 0x80000000);
}
