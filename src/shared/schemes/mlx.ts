import { notInGguf, type SchemeDescriptor } from "./descriptor.ts";

const BITS = [2, 3, 4, 5, 6, 8];

/** MLX's affine groups: a scale and a bias in the checkpoint's type, the end of the range that is farther from 0 kept exact. */
export const mlx: SchemeDescriptor = {
  title: "MLX affine",
  bits: BITS,
  symmetric: false,
  granularities: ["group:32", "group:64", "group:128"],
  constants: (_bits, _symmetric, dtype) => (dtype === "F32" ? 64 : 32),
  offers: BITS.map((bits) => ({ section: "mlx", bits, symmetric: false })),
  ggml: notInGguf,
  matMulNBits: false,
};
