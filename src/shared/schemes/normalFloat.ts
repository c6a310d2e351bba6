import { notInGguf, type SchemeDescriptor } from "./descriptor.ts";

/** Levels of a NormalFloat, scaled by the largest magnitude (one f16) or, the authors' variant, from min to max (two). */
function normalFloat(bits: 3 | 4, minmax: boolean): SchemeDescriptor {
  return {
    title: `NormalFloat ${bits}${minmax ? ", min to max" : ""}`,
    bits: [bits],
    symmetric: false,
    granularities: "any",
    constants: () => (minmax ? 16 + 16 : 16),
    offers: [
      {
        section: "normal-float",
        bits,
        symmetric: false,
        title: `${bits} bits, ${minmax ? "the authors' variant" : "absmax"}`,
      },
    ],
    ggml: notInGguf,
    matMulNBits: false,
  };
}

export const nf4 = normalFloat(4, false);
export const nf3 = normalFloat(3, false);
export const nf4Minmax = normalFloat(4, true);
export const nf3Minmax = normalFloat(3, true);
