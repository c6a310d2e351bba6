import { notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** Integers in the layout of GPTQ's files. The name says how numbers are stored, not the algorithm that may have chosen them. */
export const gptqInt: SchemeDescriptor = {
  title: "Integer in the GPTQ layout",
  bits: [2, 3, 4, 8],
  symmetric: true,
  granularities: "rows",
  // the file has zero points in any case
  constants: (bits) => 16 + bits,
  offers: [
    { section: "gptq-awq", bits: 4, symmetric: true },
    { section: "gptq-awq", bits: 4, symmetric: false },
    { section: "gptq-awq", bits: 8, symmetric: true },
  ],
  ggml: notInGguf,
  matMulNBits: false,
  computes: "half",
};
