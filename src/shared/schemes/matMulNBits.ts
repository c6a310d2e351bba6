import { bothForms, notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** What onnxruntime's own quantizer writes for its operator MatMulNBits: f32 throughout. */
export const matMulNBits: SchemeDescriptor = {
  title: "onnxruntime MatMulNBits",
  bits: [4, 8],
  symmetric: true,
  granularities: ["group:16", "group:32", "group:64", "group:128", "group:256"],
  constants: (bits, symmetric) => 32 + (symmetric ? 0 : bits),
  offers: bothForms("onnx", [4, 8]),
  ggml: notInGguf,
  matMulNBits: true,
  computes: "full",
  shortBlocks: true,
};
