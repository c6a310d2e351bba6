import { bothForms, notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** Integers as the compressed-tensors library makes them: the scale has the checkpoint's type. */
export const compressedTensors: SchemeDescriptor = {
  title: "compressed-tensors integer",
  short: "ct",
  bits: [4, 8],
  symmetric: true,
  granularities: "rows",
  constants: (bits, symmetric, dtype) => (dtype === "F32" ? 32 : 16) + (symmetric ? 0 : bits),
  offers: bothForms("compressed-tensors", [4, 8]),
  ggml: notInGguf,
  matMulNBits: true,
};
