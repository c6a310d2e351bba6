import {
  BF16,
  emptyBound,
  exactDivisor,
  F16,
  firstScaleType,
  fixedZero,
  largest,
  largestScale,
  leastRange,
  middle,
  secondScaleType,
  steps,
  zeroScale,
} from "./settings";
import { toBf16, toF16 } from "./vectors";

/** Scale, zero point and divisor of four blocks from their ranges, as in integer.ts of the scalar path. */
@inline
export function fitInteger(low: v128, high: v128, first: usize, second: usize, third: usize): v128 {
  const none = f32x4.splat(0);
  const empty = v128.and(f32x4.eq(low, none), f32x4.eq(high, none));
  const bound = f32x4.splat(emptyBound);
  const bottom = v128.bitselect(f32x4.neg(bound), f32x4.pmin(low, none), empty);
  const top = v128.bitselect(bound, f32x4.pmax(high, none), empty);
  const symmetric = fixedZero >= 0;
  const range = symmetric ? f32x4.pmax(f32x4.neg(bottom), top) : f32x4.sub(top, bottom);
  const exact = f32x4.div(f32x4.pmax(range, f32x4.splat(leastRange)), f32x4.splat(steps));
  const rounded = toScaleType(toScaleType(exact, firstScaleType), secondScaleType);
  const vanished = f32x4.eq(rounded, none);
  const scale = v128.bitselect(f32x4.splat(zeroScale), rounded, vanished);
  const divisor = exactDivisor ? v128.bitselect(scale, exact, vanished) : scale;
  v128.store(first, scale);
  v128.store(third, divisor);
  if (symmetric) v128.store(second, f32x4.splat(fixedZero));
  else v128.store(second, middle > 0 ? signedZero(bottom, exact) : zeroPoint(bottom, divisor));
  return f32x4.le(rounded, f32x4.splat(largestScale));
}

@inline
function toScaleType(scale: v128, type: i32): v128 {
  if (type == F16) return toF16(scale);
  if (type == BF16) return toBf16(scale);
  return scale;
}

@inline
function zeroPoint(bottom: v128, scale: v128): v128 {
  const none = f32x4.splat(0);
  // Adding 0 turns the −0 of a block without negative weights into 0.
  const zero = f32x4.add(f32x4.nearest(f32x4.div(f32x4.neg(bottom), scale)), none);
  return f32x4.pmax(f32x4.pmin(zero, f32x4.splat(largest)), none);
}

@inline
function signedZero(bottom: v128, scale: v128): v128 {
  const center = f32x4.splat(middle);
  const smallest = f32x4.neg(center);
  const unclamped = f32x4.sub(smallest, f32x4.div(bottom, scale));
  const signed = f32x4.pmax(f32x4.pmin(unclamped, f32x4.sub(center, f32x4.splat(1))), smallest);
  const zero = f32x4.add(f32x4.nearest(signed), center);
  return v128.bitselect(center, zero, f32x4.eq(scale, f32x4.splat(0)));
}

/** Codes of four clipped weights, as f32: clamp(round(w/divisor + before) + after). */
@inline
export function integerCode(
  w: v128,
  divisor: v128,
  before: v128,
  after: v128,
  bottom: v128,
  top: v128,
): v128 {
  const code = f32x4.add(f32x4.nearest(f32x4.add(f32x4.div(w, divisor), before)), after);
  return f32x4.pmax(f32x4.pmin(code, top), bottom);
}

/** Their ŵ = (code − zero)·scale. */
@inline
export function integerOf(
  w: v128,
  scale: v128,
  zero: v128,
  divisor: v128,
  before: v128,
  after: v128,
  bottom: v128,
  top: v128,
): v128 {
  return f32x4.mul(f32x4.sub(integerCode(w, divisor, before, after, bottom, top), zero), scale);
}

/** What is added to w/divisor before rounding. */
@inline
export function beforeOf(zero: v128): v128 {
  return middle > 0 ? f32x4.sub(zero, f32x4.splat(middle)) : f32x4.splat(0);
}

/** What is added after it. */
@inline
export function afterOf(zero: v128): v128 {
  return middle > 0 ? f32x4.splat(middle) : zero;
}
