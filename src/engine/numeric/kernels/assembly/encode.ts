import { CODES, FIRST, INPUT, LOW, OUTPUT, SECOND, THIRD, THRESHOLD } from "./layout";
import { affineCode, q8Code, signedCode } from "./gguf";
import { afterOf, beforeOf, integerCode } from "./integer";
import { matMulNBitsCode } from "./matMulNBits";
import { scheme, GGUF_AFFINE, GGUF_Q8, GGUF_SIGNED, INT, largest, MATMULNBITS, RTN, smallest } from "./settings";
import { clampTo } from "./vectors";

/** In [2^23, 2^24) the lowest bits of an f32 are an integer. */
const INTEGERS: f32 = 8388608;

/**
 * CODES of the first `count` weights of INPUT, one byte each: block after block of `size` weights, each clipped and with its
 * constants. Not for the schemes with levels. Writes up to 15 codes past the end.
 */
export function encodeBlocks(size: i32, count: i32): void {
  if (scheme == RTN) encode(RTN, size, count);
  else if (scheme == INT) encode(INT, size, count);
  else if (scheme == MATMULNBITS) encode(MATMULNBITS, size, count);
  else if (scheme == GGUF_SIGNED) encode(GGUF_SIGNED, size, count);
  else if (scheme == GGUF_AFFINE) encode(GGUF_AFFINE, size, count);
  else encode(GGUF_Q8, size, count);
}

@inline
function encode(kind: i32, size: i32, count: i32): void {
  const top = f32x4.splat(largest);
  const bottom = f32x4.splat(smallest);
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const t = v128.load32_splat(THRESHOLD + block);
    const minus = f32x4.neg(t);
    const low = clampTo(v128.load32_splat(LOW + block), t, minus);
    const a = v128.load32_splat(FIRST + block);
    const b = v128.load32_splat(SECOND + block);
    const c = v128.load32_splat(THIRD + block);
    const before = beforeOf(b);
    const after = afterOf(b);
    let at = INPUT + (<usize>from << 2);
    let to = CODES + <usize>from;
    const end = to + <usize>min(size, count - from);
    for (; to < end; to += 16, at += 64) {
      const c0 = codeOf(kind, clampTo(v128.load(at, 0), t, minus), low, a, b, c, before, after, bottom, top);
      const c1 = codeOf(kind, clampTo(v128.load(at, 16), t, minus), low, a, b, c, before, after, bottom, top);
      const c2 = codeOf(kind, clampTo(v128.load(at, 32), t, minus), low, a, b, c, before, after, bottom, top);
      const c3 = codeOf(kind, clampTo(v128.load(at, 48), t, minus), low, a, b, c, before, after, bottom, top);
      v128.store(to, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(c2, c3)));
    }
  }
}

/** Codes of four clipped weights, as i32. */
@inline
function codeOf(
  kind: i32,
  w: v128,
  low: v128,
  a: v128,
  b: v128,
  c: v128,
  before: v128,
  after: v128,
  bottom: v128,
  top: v128,
): v128 {
  let code: v128;
  if (kind == RTN) code = f32x4.nearest(f32x4.mul(f32x4.sub(w, a), b));
  else if (kind == INT) code = integerCode(w, c, before, after, bottom, top);
  else if (kind == MATMULNBITS) code = matMulNBitsCode(w, b, c, top);
  else if (kind == GGUF_SIGNED) code = signedCode(w, b, c, top);
  else if (kind == GGUF_AFFINE) code = affineCode(w, low, c, top);
  else code = q8Code(w, b, c);
  return v128.and(f32x4.add(code, f32x4.splat(INTEGERS)), i32x4.splat(0xff));
}

/** ŵ of GGUF's CODES in OUTPUT, in f32. */
export function decodeBlocks(size: i32, count: i32): void {
  const affine = scheme == GGUF_AFFINE;
  let block: usize = 0;
  for (let from = 0; from < count; from += size, block += 4) {
    const scale = v128.load32_splat(FIRST + block);
    const second = v128.load32_splat(SECOND + block);
    let to = OUTPUT + (<usize>from << 2);
    let at = CODES + <usize>from;
    const end = at + <usize>min(size, count - from);
    for (; at < end; at += 4, to += 16) {
      const code = f32x4.convert_i32x4_u(
        i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))),
      );
      v128.store(
        to,
        affine ? f32x4.add(f32x4.mul(code, scale), second) : f32x4.mul(f32x4.sub(code, second), scale),
      );
    }
  }
}
