import { notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** Integers in the layout of AutoAWQ's files (gemm). */
export const awqInt: SchemeDescriptor = {
  title: "Integer in the AWQ layout",
  short: "awq-int4",
  bits: [4],
  symmetric: false,
  granularities: "rows",
  constants: (bits) => 16 + bits,
  offers: [{ section: "gptq-awq", bits: 4, symmetric: false }],
  ggml: notInGguf,
  matMulNBits: false,
  computes: "half",
};
