import { FIRST, INPUT, OUTPUT, SECOND, THIRD, THRESHOLD } from "./layout";
import { decodeBlocks, encodeBlocks } from "./encode";
import { afterOf, beforeOf, integerOf } from "./integer";
import { levels } from "./levels";
import { matMulNBitsOf } from "./matMulNBits";
import { BF16, scheme, F16, GGUF_SIGNED, INT, largest, LEVELS, MATMULNBITS, RTN, smallest, storage } from "./settings";
import { clampTo, toBf16, toF16 } from "./vectors";

/**
 * ŵ of the first `count` weights of INPUT in OUTPUT, rounded to the storage type: block after block of `size` weights,
 * each clipped and with its constants.
 */
export function roundTripBlocks(size: i32, count: i32): void {
  if (scheme >= GGUF_SIGNED) {
    encodeBlocks(size, count);
    decodeBlocks(size, count);
  } else {
    roundTripFused(size, count);
  }
  const end = OUTPUT + (<usize>count << 2);
  if (storage == F16) for (let at = OUTPUT; at < end; at += 16) v128.store(at, toF16(v128.load(at)));
  if (storage == BF16) for (let at = OUTPUT; at < end; at += 16) v128.store(at, toBf16(v128.load(at)));
}

/** The same in f32, without codes in between. */
function roundTripFused(size: i32, count: i32): void {
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const at = <usize>from << 2;
    roundTrip(
      INPUT + at,
      OUTPUT + at,
      min(size, count - from),
      load<f32>(THRESHOLD + block),
      load<f32>(FIRST + block),
      load<f32>(SECOND + block),
      load<f32>(THIRD + block),
    );
  }
}

/**
 * Clips, encodes and decodes `length` weights of one block in f32. Writes up to 15 values past the end, and reads as far:
 * blocks are therefore worked on in ascending order.
 */
export function roundTrip(
  from: usize,
  to: usize,
  length: i32,
  threshold: f32,
  first: f32,
  second: f32,
  third: f32,
): void {
  const t = f32x4.splat(threshold);
  const a = f32x4.splat(first);
  const b = f32x4.splat(second);
  if (scheme == RTN) rtn(from, to, length, t, a, b);
  else if (scheme == INT) integer(from, to, length, t, a, b, f32x4.splat(third));
  else if (scheme == MATMULNBITS) matMulNBits(from, to, length, t, a, b, f32x4.splat(third));
  else if (scheme == LEVELS) levels(false, from, to, length, t, a, b);
  else levels(true, from, to, length, t, a, b);
}

function rtn(from: usize, to: usize, length: i32, threshold: v128, low: v128, scale: v128): void {
  const minus = f32x4.neg(threshold);
  const end = from + (<usize>length << 2);
  for (; from < end; from += 16, to += 16) {
    v128.store(to, rtnOf(clampTo(v128.load(from), threshold, minus), low, scale));
  }
}

function integer(
  from: usize,
  to: usize,
  length: i32,
  threshold: v128,
  scale: v128,
  zero: v128,
  divisor: v128,
): void {
  const minus = f32x4.neg(threshold);
  const before = beforeOf(zero);
  const after = afterOf(zero);
  const bottom = f32x4.splat(smallest);
  const top = f32x4.splat(largest);
  const end = from + (<usize>length << 2);
  for (; from < end; from += 16, to += 16) {
    const w = clampTo(v128.load(from), threshold, minus);
    v128.store(to, integerOf(w, scale, zero, divisor, before, after, bottom, top));
  }
}

function matMulNBits(
  from: usize,
  to: usize,
  length: i32,
  threshold: v128,
  scale: v128,
  zero: v128,
  reciprocal: v128,
): void {
  const minus = f32x4.neg(threshold);
  const top = f32x4.splat(largest);
  const end = from + (<usize>length << 2);
  for (; from < end; from += 16, to += 16) {
    const w = clampTo(v128.load(from), threshold, minus);
    v128.store(to, matMulNBitsOf(w, scale, zero, reciprocal, top));
  }
}

/** ŵ of four clipped weights under `rtn`. */
@inline
export function rtnOf(w: v128, low: v128, scale: v128): v128 {
  const code = f32x4.nearest(f32x4.mul(f32x4.sub(w, low), scale));
  return f32x4.add(f32x4.div(code, scale), low);
}
