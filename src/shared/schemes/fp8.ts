import { notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** 8-bit floats of 4 exponent and 3 mantissa bits (PyTorch's float8_e4m3fn) with an f32 scale that takes a block's largest weight to 448. */
export const fp8E4m3: SchemeDescriptor = {
  title: "8-bit float e4m3",
  bits: [8],
  symmetric: false,
  granularities: "any",
  constants: () => 32,
  offers: [{ section: "float8", bits: 8, symmetric: false, title: "4 exponent and 3 mantissa bits" }],
  ggml: notInGguf,
  matMulNBits: false,
};
