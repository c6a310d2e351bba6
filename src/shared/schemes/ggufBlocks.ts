import type { GgmlBlock, SchemeDescriptor } from "./descriptor.ts";

/** A block type of GGUF, bit for bit ggml's own: 32 weights, an f16 scale and, of the second kind, an f16 minimum. */
function ggufBlock(type: GgmlBlock, bits: number, constants: number): SchemeDescriptor {
  return {
    title: `GGUF ${type}`,
    bits: [bits],
    symmetric: false,
    granularities: "group:32",
    constants: () => constants,
    offers: [{ section: "gguf", bits, symmetric: false }],
    ggml: () => type,
    matMulNBits: false,
  };
}

export const q4_0 = ggufBlock("Q4_0", 4, 16);
export const q4_1 = ggufBlock("Q4_1", 4, 16 + 16);
export const q5_0 = ggufBlock("Q5_0", 5, 16);
export const q5_1 = ggufBlock("Q5_1", 5, 16 + 16);
export const q8_0 = ggufBlock("Q8_0", 8, 16);
