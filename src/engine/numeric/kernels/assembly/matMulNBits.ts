import { fixedZero, largest } from "./settings";

/** Scale, zero point and 1/scale of four blocks from their ranges, as in matMulNBits.ts of the scalar path. */
@inline
export function fitMatMulNBits(low: v128, high: v128, first: usize, second: usize, third: usize): v128 {
  const none = f32x4.splat(0);
  const most = f32x4.splat(f32.MAX_VALUE);
  const bottom = f32x4.pmin(low, none);
  const symmetric = fixedZero >= 0;
  const furthest = v128.bitselect(high, low, f32x4.gt(f32x4.abs(high), f32x4.abs(low)));
  const exact = symmetric
    ? f32x4.div(furthest, f32x4.splat(-fixedZero))
    : f32x4.div(f32x4.sub(f32x4.pmax(high, none), bottom), f32x4.splat(largest));
  const reciprocal = f32x4.div(f32x4.splat(1), exact);
  const usable = f32x4.le(f32x4.abs(reciprocal), most);
  v128.store(first, v128.and(exact, usable));
  v128.store(third, v128.and(reciprocal, usable));
  if (symmetric) {
    v128.store(second, f32x4.splat(fixedZero));
  } else {
    const zero = roundUp(f32x4.sub(none, f32x4.div(bottom, exact)));
    v128.store(second, v128.and(f32x4.pmin(zero, f32x4.splat(largest)), usable));
  }
  return f32x4.le(f32x4.abs(exact), most);
}

/** Codes of four clipped weights, as f32. */
@inline
export function matMulNBitsCode(w: v128, zero: v128, reciprocal: v128, top: v128): v128 {
  const code = roundUp(f32x4.add(f32x4.mul(w, reciprocal), zero));
  return f32x4.pmax(f32x4.pmin(code, top), f32x4.splat(0));
}

/** Their ŵ. */
@inline
export function matMulNBitsOf(w: v128, scale: v128, zero: v128, reciprocal: v128, top: v128): v128 {
  return f32x4.mul(f32x4.sub(matMulNBitsCode(w, zero, reciprocal, top), zero), scale);
}

/** Nearest integer, halves up: what is added to the floor is decided by an exact difference. */
@inline
function roundUp(x: v128): v128 {
  const floor = f32x4.floor(x);
  const half = f32x4.ge(f32x4.sub(x, floor), f32x4.splat(0.5));
  return f32x4.add(floor, v128.and(half, f32x4.splat(1)));
}
