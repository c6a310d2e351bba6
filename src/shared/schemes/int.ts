import { ANY_BITS, type GgmlBlock, type SchemeDescriptor } from "./descriptor.ts";

/** GGUF's symmetric blocks, whose codes and f16 scales are the same. */
const SYMMETRIC: Readonly<Record<number, GgmlBlock>> = { 4: "Q4_0", 5: "Q5_0", 8: "Q8_0" };

/** Integers with an f16 scale and, if asymmetric, an integer zero point. */
export const int: SchemeDescriptor = {
  title: "Integer",
  bits: ANY_BITS,
  symmetric: true,
  granularities: "any",
  constants: (bits, symmetric) => 16 + (symmetric ? 0 : bits),
  offers: ANY_BITS.flatMap((bits) => [
    { section: "int-asymmetric", bits, symmetric: false },
    { section: "int-symmetric", bits, symmetric: true },
  ]),
  ggml: (bits, symmetric) => (symmetric ? (SYMMETRIC[bits] ?? null) : null),
  matMulNBits: true,
};
