import { FIRST, HIGH, LOW, SECOND, THIRD, THRESHOLD } from "./layout";
import {
  scheme,
  GGUF_AFFINE,
  GGUF_Q8,
  GGUF_SIGNED,
  INT,
  LEVELS,
  MATMULNBITS,
  RTN,
  steps,
} from "./settings";
import { fitAffine, fitQ8, fitSigned } from "./gguf";
import { fitInteger } from "./integer";
import { fitMatMulNBits } from "./matMulNBits";
import { clampTo, firstLanes, toF16 } from "./vectors";

const F16_MAX: f32 = 65504;
const F16_TINY: f32 = 5.9604644775390625e-8;

/**
 * Constants of `count` ranges (f32 arrays at `lows` and `highs`), each cut to its threshold first.
 * @returns false where a range or a scale is past what its constant can hold
 */
export function fit(
  lows: usize,
  highs: usize,
  thresholds: usize,
  firsts: usize,
  seconds: usize,
  thirds: usize,
  count: i32,
): bool {
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const threshold = v128.load(thresholds + at);
    const minus = f32x4.neg(threshold);
    const low = clampTo(v128.load(lows + at), threshold, minus);
    const high = clampTo(v128.load(highs + at), threshold, minus);
    let fits: v128;
    if (scheme == INT) fits = fitInteger(low, high, firsts + at, seconds + at, thirds + at);
    else if (scheme == MATMULNBITS) fits = fitMatMulNBits(low, high, firsts + at, seconds + at, thirds + at);
    else if (scheme == LEVELS) fits = fitScale(low, high, firsts + at);
    else if (scheme == GGUF_SIGNED) fits = fitSigned(low, high, firsts + at, seconds + at, thirds + at);
    else if (scheme == GGUF_AFFINE) fits = fitAffine(low, high, firsts + at, seconds + at, thirds + at);
    else if (scheme == GGUF_Q8) fits = fitQ8(low, high, firsts + at, seconds + at, thirds + at);
    else fits = fitOffset(low, high, firsts + at, seconds + at);
    if (v128.any_true(v128.andnot(firstLanes(count - i), fits))) return false;
  }
  return true;
}

/** The constants of the first `count` blocks from their LOW, HIGH and THRESHOLD. */
export function fitBlocks(count: i32): bool {
  return fit(LOW, HIGH, THRESHOLD, FIRST, SECOND, THIRD, count);
}

/** low and s, both f32; a range of 0 gets s = 1, an s past the largest f32 becomes that. */
@inline
function fitOffset(low: v128, high: v128, first: usize, second: usize): v128 {
  const one = f32x4.splat(1);
  const range = f32x4.sub(high, low);
  const exact =
    scheme == RTN
      ? f32x4.mul(f32x4.div(one, range), f32x4.splat(steps))
      : f32x4.div(f32x4.splat(2), range);
  const scale = f32x4.pmin(exact, f32x4.splat(f32.MAX_VALUE));
  v128.store(first, low);
  v128.store(second, v128.bitselect(one, scale, f32x4.eq(range, f32x4.splat(0))));
  return f32x4.le(range, f32x4.splat(f32.MAX_VALUE));
}

/** An f16 scale, at least 2^−24. */
@inline
function fitScale(low: v128, high: v128, first: usize): v128 {
  const rounded = toF16(f32x4.pmax(f32x4.neg(low), high));
  const scale = v128.bitselect(f32x4.splat(F16_TINY), rounded, f32x4.eq(rounded, f32x4.splat(0)));
  v128.store(first, scale);
  return f32x4.le(scale, f32x4.splat(F16_MAX));
}
