import { bitsOf } from "./halfTypes.ts";

/** Up to this many values a sort is faster than three histograms. */
const SORT_LIMIT = 1024;
const sortScratch = new Float32Array(SORT_LIMIT);
const histogram = new Uint32Array(2048);
const keyBits = new Uint32Array(1);
const keyValue = new Float32Array(keyBits.buffer);

/**
 * The value of 0-based `rank` among values[from, to), ascending; of their magnitudes where `absolute`.
 * Short ranges are sorted, long ones selected by radix over the f32 bit pattern: linear time, no copy. NaN-free input.
 */
export function orderStatistic(
  values: Float32Array,
  from: number,
  to: number,
  rank: number,
  absolute: boolean,
): number {
  return orderStatistics(values, from, to, [rank], absolute)[0];
}

/** The same for several ranks at once: a short range is sorted only once. */
export function orderStatistics(
  values: Float32Array,
  from: number,
  to: number,
  ranks: readonly number[],
  absolute: boolean,
): number[] {
  const count = to - from;
  if (count > SORT_LIMIT) return ranks.map((rank) => radixSelect(bitsOf(values), from, to, rank, absolute));
  for (let i = 0; i < count; i++) sortScratch[i] = absolute ? Math.abs(values[from + i]) : values[from + i];
  const sorted = sortScratch.subarray(0, count).sort();
  return ranks.map((rank) => sorted[rank]);
}

/** An integer that orders as the f32 behind the pattern does, between 0 and 2^32 − 1. */
function orderedKey(pattern: number, absolute: boolean): number {
  if (absolute) return pattern & 0x7fffffff;
  return (pattern ^ ((pattern >> 31) | 0x80000000)) >>> 0;
}

function radixSelect(bits: Int32Array, from: number, to: number, rank: number, absolute: boolean): number {
  let prefix = 0;
  let remaining = rank;
  let known = 0;
  for (const width of [11, 11, 10]) {
    const shift = 32 - known - width;
    countDigits(bits, from, to, absolute, prefix, known, shift, (1 << width) - 1);
    let digit = 0;
    while (remaining >= histogram[digit]) remaining -= histogram[digit++];
    prefix = prefix * 2 ** width + digit;
    known += width;
  }
  keyBits[0] = absolute ? prefix : prefix >= 0x80000000 ? prefix ^ 0x80000000 : ~prefix;
  return keyValue[0];
}

/** Histogram of the digit at `shift` over the keys whose first `known` bits are `prefix`. */
function countDigits(
  bits: Int32Array,
  from: number,
  to: number,
  absolute: boolean,
  prefix: number,
  known: number,
  shift: number,
  mask: number,
): void {
  histogram.fill(0);
  for (let i = from; i < to; i++) {
    const key = orderedKey(bits[i], absolute);
    // A shift by 32 is a shift by 0 in JavaScript, hence the test for "nothing known yet".
    if (known === 0 || key >>> (32 - known) === prefix) histogram[(key >>> shift) & mask]++;
  }
}
