/** All ones in the first `count` of four lanes. */
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** w cut to [−t, t]; a value that needs no cut keeps its bits. */
@inline
export function clampTo(w: v128, t: v128, minusT: v128): v128 {
  return f32x4.pmax(f32x4.pmin(w, t), minusT);
}

/** The four weights' lower two as f64. */
@inline
export function lowerHalf(w: v128): v128 {
  return f64x2.promote_low_f32x4(w);
}

/** The four weights' upper two as f64. */
@inline
export function upperHalf(w: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(w, w, 1, 1));
}

/** Sum of four f64 lanes, (0 + 2) + (1 + 3). */
@inline
export function laneTotal(lower: v128, upper: v128): f64 {
  const pairs = f64x2.add(lower, upper);
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/** Rounds to f16, nearest, ties to even, past the largest to infinity (see storage.ts for the arithmetic). */
@inline
export function toF16(w: v128): v128 {
  const sign = v128.and(w, i32x4.splat(0x80000000));
  const magnitude = v128.and(w, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  let normal = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff)), odd);
  normal = v128.and(normal, i32x4.splat(~0x1fff));
  normal = v128.bitselect(i32x4.splat(0x7f800000), normal, i32x4.gt_s(normal, i32x4.splat(0x477fe000)));
  const half = f32x4.splat(0.75);
  const subnormal = f32x4.sub(f32x4.add(w, half), half);
  const isNormal = i32x4.gt_s(magnitude, i32x4.splat(0x387fffff));
  return v128.or(v128.bitselect(normal, subnormal, isNormal), sign);
}

/** Rounds to bf16, nearest, ties to even. */
@inline
export function toBf16(w: v128): v128 {
  const odd = v128.and(i32x4.shr_u(w, 16), i32x4.splat(1));
  return v128.and(i32x4.add(i32x4.add(w, i32x4.splat(0x7fff)), odd), i32x4.splat(~0xffff));
}
