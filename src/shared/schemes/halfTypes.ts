import { notInGguf, type RoundedType, type SchemeDescriptor } from "./descriptor.ts";

/** A type of 16 bits, to which each weight is rounded by itself. */
function halfType(type: RoundedType): SchemeDescriptor {
  return {
    title: type,
    bits: [16],
    symmetric: false,
    granularities: "any",
    constants: () => 0,
    offers: [],
    ggml: notInGguf,
    matMulNBits: false,
    rounds: type,
  };
}

export const f16 = halfType("F16");
export const bf16 = halfType("BF16");
