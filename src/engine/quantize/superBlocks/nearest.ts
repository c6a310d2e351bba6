import { bitsOf } from "#engine/numeric/halfTypes.ts";

/** Adding it to a smaller f32 leaves an integer in the lower bits. */
const ROUND = 1.5 * 2 ** 23;
/** Largest number that ROUND brings to an integer. */
const LARGEST_EXACT = 4194303;

const single = new Float32Array(1);
const bits = bitsOf(single);

/**
 * Nearest integer of an f32, ties to even, as ggml takes it: from the lower 23 bits of x + 1.5·2^23. Past 2^22 these are
 * what they are, and are kept, since ggml's codes follow from them.
 */
export function nearest(x: number): number {
  if (x >= -LARGEST_EXACT && x <= LARGEST_EXACT) return Math.fround(x + ROUND) - ROUND;
  single[0] = x + ROUND;
  return (bits[0] & 0x7fffff) - 0x400000;
}

/** `code` cut to [least, most]. */
export function between(code: number, least: number, most: number): number {
  return code < least ? least : code > most ? most : code;
}
