import { ANY_BITS, notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** The paper's: a float offset, computed in f32 and counted as two f16. */
export const affine: SchemeDescriptor = {
  title: "Affine, float offset",
  bits: ANY_BITS,
  symmetric: false,
  granularities: "any",
  constants: () => 16 + 16,
  offers: ANY_BITS.map((bits) => ({ section: "affine", bits, symmetric: false })),
  ggml: notInGguf,
  matMulNBits: false,
};
