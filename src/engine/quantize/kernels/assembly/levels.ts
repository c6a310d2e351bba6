import { BUCKET_CODES, CUT_BYTES, LEVEL_BYTES } from "./layout";
import { clampTo } from "./vectors";

/**
 * ŵ of a block under a codec with levels, sixteen weights at a time. A normalized weight falls into one of 31 buckets,
 * round(15·x) + 15, each narrower than the distance between two cuts: the code is the number of cuts in the buckets below,
 * and one more where the weight is past its own bucket's cut. Byte shuffles do the looking up.
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
  const end = from + (<usize>length << 2);
  for (; from < end; from += 64, to += 64) {
    const w0 = normalized(minmax, clampTo(v128.load(from, 0), threshold, minus), a, b);
    const w1 = normalized(minmax, clampTo(v128.load(from, 16), threshold, minus), a, b);
    const w2 = normalized(minmax, clampTo(v128.load(from, 32), threshold, minus), a, b);
    const w3 = normalized(minmax, clampTo(v128.load(from, 48), threshold, minus), a, b);
    const buckets = narrow(bucketOf(w0), bucketOf(w1), bucketOf(w2), bucketOf(w3));
    const cut0 = lookUp(CUT_BYTES, buckets);
    const cut1 = lookUp(CUT_BYTES + 32, buckets);
    const cut2 = lookUp(CUT_BYTES + 64, buckets);
    const cut3 = lookUp(CUT_BYTES + 96, buckets);
    const lowerCut01 = interleaveLower(cut0, cut1);
    const upperCut01 = interleaveUpper(cut0, cut1);
    const lowerCut23 = interleaveLower(cut2, cut3);
    const upperCut23 = interleaveUpper(cut2, cut3);
    const past = narrow(
      f32x4.gt(w0, interleaveLowerPairs(lowerCut01, lowerCut23)),
      f32x4.gt(w1, interleaveUpperPairs(lowerCut01, lowerCut23)),
      f32x4.gt(w2, interleaveLowerPairs(upperCut01, upperCut23)),
      f32x4.gt(w3, interleaveUpperPairs(upperCut01, upperCut23)),
    );
    const codes = i8x16.sub(lookUp(BUCKET_CODES, buckets), past);
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

/** round(15·x) + 15 of four values cut to ±1: adding 1.5·2^23 leaves the integer in the low bits. */
@inline
function bucketOf(x: v128): v128 {
  const one = f32x4.splat(1);
  const inside = f32x4.pmax(f32x4.pmin(x, one), f32x4.neg(one));
  const shifted = f32x4.add(f32x4.mul(inside, f32x4.splat(15)), f32x4.splat(12582927));
  return v128.and(shifted, i32x4.splat(31));
}

/** Sixteen bytes from four vectors of small integers. */
@inline
function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Sixteen bytes of a table of 32: a swizzle gives 0 for an index past its half. */
@inline
function lookUp(table: usize, indices: v128): v128 {
  const lower = i8x16.swizzle(v128.load(table, 0), indices);
  const upper = i8x16.swizzle(v128.load(table, 16), i8x16.sub(indices, i8x16.splat(16)));
  return v128.or(lower, upper);
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
