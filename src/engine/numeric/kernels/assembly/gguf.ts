import { FIRST, HIGH, INPUT, LOW, SECOND, THIRD, THRESHOLD } from "./layout";
import { scheme, fixedZero, GGUF_AFFINE, GGUF_SIGNED, steps } from "./settings";
import { toF16 } from "./vectors";

const F16_MAX: f32 = 65504;
/** |x| from here on, infinities and NaN become code 0, as where f32 is turned into an i32 on x86. */
const PAST_I32: f32 = 2147483648;
/** Q8_0's largest code, and the code of 0. */
const Q8_STEPS: f32 = 127;
const Q8_ZERO: f32 = 128;

/** Scale, zero point and 1/d of four blocks, as in ggufSigned.ts; where −low = high as if the high one came first. */
@inline
export function fitSigned(low: v128, high: v128, first: usize, second: usize, third: usize): v128 {
  const furthest = v128.bitselect(low, high, f32x4.gt(f32x4.neg(low), high));
  // Adding 0 turns −0 into 0.
  const d = f32x4.div(f32x4.add(furthest, f32x4.splat(0)), f32x4.splat(-fixedZero));
  v128.store(second, f32x4.splat(fixedZero));
  return storeScale(d, first, third);
}

/** Scale, f16(low) and 1/d, as in ggufAffine.ts; a low of 0 with the sign that it has in LOW. */
@inline
export function fitAffine(low: v128, high: v128, first: usize, second: usize, third: usize): v128 {
  const range = f32x4.sub(high, low);
  const storedLow = toF16(low);
  v128.store(second, storedLow);
  const fits = storeScale(f32x4.div(range, f32x4.splat(steps)), first, third);
  const held = f32x4.le(f32x4.abs(storedLow), f32x4.splat(F16_MAX));
  return v128.and(v128.and(fits, held), f32x4.le(range, f32x4.splat(f32.MAX_VALUE)));
}

/** Scale, zero point and 1/d, as in q8.ts. */
@inline
export function fitQ8(low: v128, high: v128, first: usize, second: usize, third: usize): v128 {
  const furthest = f32x4.add(f32x4.pmax(f32x4.neg(low), high), f32x4.splat(0));
  v128.store(second, f32x4.splat(Q8_ZERO));
  return storeScale(f32x4.div(furthest, f32x4.splat(Q8_STEPS)), first, third);
}

/** f16(d), and 1/d or 0 where d is 0; whether f16(d) is finite. */
@inline
function storeScale(d: v128, first: usize, third: usize): v128 {
  const scale = toF16(d);
  v128.store(first, scale);
  v128.store(third, v128.andnot(f32x4.div(f32x4.splat(1), d), f32x4.eq(d, f32x4.splat(0))));
  return f32x4.le(f32x4.abs(scale), f32x4.splat(F16_MAX));
}

/**
 * What of GGUF's constants depends on which weight of a block comes first: the sign of d where −low = high, and the sign of a low
 * of 0. Follows `fitBlocks`; the blocks lie whole in INPUT.
 */
export function settleSigns(size: i32, count: i32): void {
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const threshold = load<f32>(THRESHOLD + block);
    const low = max(min(load<f32>(LOW + block), threshold), -threshold);
    const high = max(min(load<f32>(HIGH + block), threshold), -threshold);
    const at = INPUT + (<usize>from << 2);
    const length = min(size, count - from);
    if (scheme == GGUF_SIGNED && high > 0 && -low == high && firstIsNegative(high, at, length)) {
      store<f32>(FIRST + block, -load<f32>(FIRST + block));
      store<f32>(THIRD + block, -load<f32>(THIRD + block));
    }
    if (scheme == GGUF_AFFINE && low == 0) store<f32>(SECOND + block, firstZero(at, length));
  }
}

/** Whether the first weight of this magnitude or more is below 0. */
function firstIsNegative(magnitude: f32, at: usize, length: i32): bool {
  for (let left = length; left > 0; left--, at += 4) {
    const w = load<f32>(at);
    if (abs(w) >= magnitude) return w < 0;
  }
  return false;
}

/** The first 0 or −0; 0 where there is none. */
function firstZero(at: usize, length: i32): f32 {
  for (let left = length; left > 0; left--, at += 4) {
    const w = load<f32>(at);
    if (w == 0) return w;
  }
  return 0;
}

/** Codes of four clipped weights, as f32. */
@inline
export function signedCode(w: v128, zero: v128, inverse: v128, top: v128): v128 {
  return lowered(f32x4.add(f32x4.mul(w, inverse), f32x4.add(zero, f32x4.splat(0.5))), top);
}

@inline
export function affineCode(w: v128, low: v128, inverse: v128, top: v128): v128 {
  return lowered(f32x4.add(f32x4.mul(f32x4.sub(w, low), inverse), f32x4.splat(0.5)), top);
}

@inline
export function q8Code(w: v128, zero: v128, inverse: v128): v128 {
  const scaled = f32x4.mul(w, inverse);
  const whole = f32x4.trunc(scaled);
  const one = v128.or(v128.and(scaled, i32x4.splat(0x80000000)), f32x4.splat(1));
  // the difference is exact, so halves are found though scaled + ½ might round
  const further = f32x4.ge(f32x4.abs(f32x4.sub(scaled, whole)), f32x4.splat(0.5));
  const rounded = f32x4.add(whole, v128.and(one, further));
  return f32x4.add(v128.and(rounded, withinI32(scaled)), zero);
}

/** min(⌊x⌋, top) of numbers that are not negative. */
@inline
function lowered(x: v128, top: v128): v128 {
  return v128.and(f32x4.pmin(f32x4.trunc(x), top), withinI32(x));
}

@inline
function withinI32(x: v128): v128 {
  return f32x4.lt(f32x4.abs(x), f32x4.splat(PAST_I32));
}
