import type { GgmlBlock, SchemeDescriptor } from "./descriptor.ts";
import type { SectionName } from "./sections.ts";

/** A type of GGUF whose scales ggml searches for, bit for bit ggml's own. `fallback` is what rows get that its blocks do not divide. */
function superBlock(
  type: GgmlBlock,
  [bits, weights, constants]: readonly [bits: number, weights: number, constants: number],
  { section, fallback }: { section: SectionName; fallback?: SchemeDescriptor["fallback"] },
): SchemeDescriptor {
  return {
    title: `GGUF ${type}`,
    bits: [bits],
    symmetric: false,
    granularities: `group:${weights}`,
    constants: () => constants,
    offers: [{ section, bits, symmetric: false }],
    ggml: () => type,
    matMulNBits: false,
    ...(fallback && { fallback }),
  };
}

const section = "gguf-k";
// constants: d, dmin; then what each run has of scale and minimum
export const q2K = superBlock("Q2_K", [2, 256, 32 + 16 * 8], { section, fallback: "q4_0" });
export const q3K = superBlock("Q3_K", [3, 256, 16 + 16 * 6], { section, fallback: "q4_0" });
export const q4K = superBlock("Q4_K", [4, 256, 32 + 8 * 12], { section, fallback: "q5_0" });
export const q5K = superBlock("Q5_K", [5, 256, 32 + 8 * 12], { section, fallback: "q5_1" });
export const q6K = superBlock("Q6_K", [6, 256, 16 + 16 * 8], { section, fallback: "q8_0" });
export const iq4Nl = superBlock("IQ4_NL", [4, 32, 16], { section: "gguf" });
export const iq4Xs = superBlock("IQ4_XS", [4, 256, 16 + 8 * 6], { section, fallback: "iq4_nl" });
