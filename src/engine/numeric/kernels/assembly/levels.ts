import { CUTS, LEVEL_BYTES } from "./layout";
import { cuts } from "./settings";
import { clampTo } from "./vectors";

/**
 * ŵ of a block under a scheme with levels, sixteen weights at a time: the code is the number of cuts below the normalized weight,
 * and byte shuffles look its level up.
 */
@inline
export function levels(
  minmax: bool,
  from: usize,
  to: usize,
  length: i32,
  threshold: v128,
  a: v128,
  b: v128,
): void {
  const minus = f32x4.neg(threshold);
  const lastCut = CUTS + (<usize>cuts << 2);
  const end = from + (<usize>length << 2);
  for (; from < end; from += 64, to += 64) {
    const w0 = normalized(minmax, clampTo(v128.load(from, 0), threshold, minus), a, b);
    const w1 = normalized(minmax, clampTo(v128.load(from, 16), threshold, minus), a, b);
    const w2 = normalized(minmax, clampTo(v128.load(from, 32), threshold, minus), a, b);
    const w3 = normalized(minmax, clampTo(v128.load(from, 48), threshold, minus), a, b);
    let n0 = i32x4.splat(0);
    let n1 = n0;
    let n2 = n0;
    let n3 = n0;
    for (let at = CUTS; at < lastCut; at += 4) {
      const cut = v128.load32_splat(at);
      n0 = i32x4.sub(n0, f32x4.gt(w0, cut));
      n1 = i32x4.sub(n1, f32x4.gt(w1, cut));
      n2 = i32x4.sub(n2, f32x4.gt(w2, cut));
      n3 = i32x4.sub(n3, f32x4.gt(w3, cut));
    }
    const codes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(n0, n1), i16x8.narrow_i32x4_s(n2, n3));
    const level0 = i8x16.swizzle(v128.load(LEVEL_BYTES, 0), codes);
    const level1 = i8x16.swizzle(v128.load(LEVEL_BYTES, 16), codes);
    const level2 = i8x16.swizzle(v128.load(LEVEL_BYTES, 32), codes);
    const level3 = i8x16.swizzle(v128.load(LEVEL_BYTES, 48), codes);
    const lower01 = interleaveLower(level0, level1);
    const upper01 = interleaveUpper(level0, level1);
    const lower23 = interleaveLower(level2, level3);
    const upper23 = interleaveUpper(level2, level3);
    v128.store(to, decoded(minmax, interleaveLowerPairs(lower01, lower23), a, b), 0);
    v128.store(to, decoded(minmax, interleaveUpperPairs(lower01, lower23), a, b), 16);
    v128.store(to, decoded(minmax, interleaveLowerPairs(upper01, upper23), a, b), 32);
    v128.store(to, decoded(minmax, interleaveUpperPairs(upper01, upper23), a, b), 48);
  }
}

@inline
function normalized(minmax: bool, w: v128, a: v128, b: v128): v128 {
  if (minmax) return f32x4.sub(f32x4.mul(f32x4.sub(w, a), b), f32x4.splat(1));
  return f32x4.div(w, a);
}

/** With min–max the table holds level + 1. */
@inline
function decoded(minmax: bool, level: v128, a: v128, b: v128): v128 {
  if (minmax) return f32x4.add(f32x4.div(level, b), a);
  return f32x4.mul(level, a);
}

@inline
function interleaveLower(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline
function interleaveUpper(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

@inline
function interleaveLowerPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function interleaveUpperPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
