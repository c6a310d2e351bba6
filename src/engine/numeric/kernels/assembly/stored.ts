import { INPUT, OUTPUT, STORED } from "./layout";
import { firstLanes, toF16 } from "./vectors";

/*
 * Weights as files store them, two bytes each, and whether they are finite: every export and every judging pass begins here.
 */

const EXPONENT: u32 = 0x7f800000;
/** Magnitude of f16's smallest normal and of its infinity, and the bits of f32's 2^−14. */
const F16_NORMAL: i32 = 0x0400;
const F16_INFINITY: i32 = 0x7c00;
const F32_OF_NORMAL: i32 = 0x38800000;

/** Whether the first `count` weights of INPUT are finite. */
export function finite(count: i32): bool {
  const exponent = i32x4.splat(EXPONENT);
  let found = i32x4.splat(0);
  let at = INPUT;
  for (let left = count; left > 0; left -= 4, at += 16) {
    let bad = i32x4.eq(v128.and(v128.load(at), exponent), exponent);
    if (left < 4) bad = v128.and(bad, firstLanes(left));
    found = v128.or(found, bad);
  }
  return !v128.any_true(found);
}

/** Whether the first `count` weights of STORED are finite; `exponent` has the bits that are all set where one is not. */
export function finiteHalves(count: i32, exponent: i32): bool {
  const mask = i16x8.splat(<i16>exponent);
  let found = i32x4.splat(0);
  let left = count;
  let at = STORED;
  for (; left >= 8; left -= 8, at += 16)
    found = v128.or(found, i16x8.eq(v128.and(v128.load(at), mask), mask));
  for (; left > 0; left--, at += 2) if ((load<u16>(at) & exponent) == exponent) return false;
  return !v128.any_true(found);
}

/** OUTPUT = the first `count` weights of STORED: bf16 is the upper half of an f32. */
export function widenBf16(count: i32): void {
  const none = i32x4.splat(0);
  let from = STORED;
  const end = OUTPUT + (<usize>count << 2);
  for (let to = OUTPUT; to < end; to += 32, from += 16) {
    const halves = v128.load(from);
    v128.store(to, i16x8.shuffle(none, halves, 0, 8, 0, 9, 0, 10, 0, 11), 0);
    v128.store(to, i16x8.shuffle(none, halves, 0, 12, 0, 13, 0, 14, 0, 15), 16);
  }
}

/** OUTPUT = the first `count` weights of STORED, which are f16. */
export function widenF16(count: i32): void {
  let from = STORED;
  const end = OUTPUT + (<usize>count << 2);
  for (let to = OUTPUT; to < end; to += 32, from += 16) {
    const halves = v128.load(from);
    v128.store(to, f16ToF32(i32x4.extend_low_i16x8_u(halves)), 0);
    v128.store(to, f16ToF32(i32x4.extend_high_i16x8_u(halves)), 16);
  }
}

/** Four f16 patterns as f32: a subnormal is its integer times 2^−24, anything else moves its bits and its exponent. */
@inline
function f16ToF32(half: v128): v128 {
  const magnitude = v128.and(half, i32x4.splat(0x7fff));
  const sign = i32x4.shl(v128.xor(half, magnitude), 16);
  const moved = i32x4.add(i32x4.shl(magnitude, 13), i32x4.splat(112 << 23));
  const special = v128.or(i32x4.shl(magnitude, 13), i32x4.splat(EXPONENT));
  const subnormal = f32x4.mul(f32x4.convert_i32x4_u(magnitude), f32x4.splat(5.9604644775390625e-8));
  const above = v128.bitselect(special, moved, i32x4.ge_s(magnitude, i32x4.splat(F16_INFINITY)));
  return v128.or(v128.bitselect(subnormal, above, i32x4.lt_s(magnitude, i32x4.splat(F16_NORMAL))), sign);
}

/** STORED = the first `count` weights of INPUT, rounded to nearest even; NaN stays NaN. */
export function narrowToBf16(count: i32): void {
  let to = STORED;
  const end = INPUT + (<usize>count << 2);
  for (let from = INPUT; from < end; from += 32, to += 16)
    v128.store(to, upperHalves(bf16Word(v128.load(from, 0)), bf16Word(v128.load(from, 16))));
}

/** A word whose upper half is the bf16. */
@inline
function bf16Word(w: v128): v128 {
  const odd = v128.and(i32x4.shr_u(w, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(w, i32x4.splat(0x7fff)), odd);
  return v128.bitselect(v128.or(w, i32x4.splat(0x400000)), rounded, f32x4.ne(w, w));
}

@inline
function upperHalves(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}

/** STORED = the first `count` weights of INPUT as f16, rounded to nearest even, past the largest to infinity; NaN stays NaN. */
export function narrowToF16(count: i32): void {
  let to = STORED;
  const end = INPUT + (<usize>count << 2);
  for (let from = INPUT; from < end; from += 32, to += 16) {
    const lower = f16Bits(v128.load(from, 0));
    const upper = f16Bits(v128.load(from, 16));
    v128.store(to, i16x8.shuffle(lower, upper, 0, 2, 4, 6, 8, 10, 12, 14));
  }
}

/** Four f16 patterns in the lower halves of words. */
@inline
function f16Bits(w: v128): v128 {
  const rounded = toF16(w);
  const magnitude = v128.and(rounded, i32x4.splat(0x7fffffff));
  const sign = i32x4.shr_u(v128.xor(rounded, magnitude), 16);
  const normal = i32x4.shr_u(i32x4.sub(magnitude, i32x4.splat(112 << 23)), 13);
  const subnormal = i32x4.trunc_sat_f32x4_s(f32x4.mul(magnitude, f32x4.splat(16777216)));
  let bits = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(F32_OF_NORMAL)));
  bits = v128.bitselect(i32x4.splat(F16_INFINITY), bits, i32x4.eq(magnitude, i32x4.splat(EXPONENT)));
  bits = v128.bitselect(i32x4.splat(0x7e00), bits, f32x4.ne(w, w));
  return v128.or(bits, sign);
}
