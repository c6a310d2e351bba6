import { GGUF_Q8, codeKernels } from "./kernelForms.ts";
import {
  constantsAs,
  perBlock,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { assertScaleFits } from "../plan/overflow.ts";
import { toF16 } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/** Code of weight 0: codes are stored from 0 on, the format's signed bytes are code − 128. */
const ZERO = 128;

/**
 * GGUF's Q8_0, as ggml's reference quantizer makes it: d = max|w|/127; code = round(w·(1/d)), halves away from 0;
 * ŵ = code·f16(d). All in f32; 1/d is of d before it is rounded to f16. A d of 0 gives codes and ŵ of 0.
 */
export const q8: SchemeImplementation = {
  create: (plan, blocks, packed) => new Q8Scheme(plan, blocks, packed),
  kernels: codeKernels(GGUF_Q8, () => -1, { mse: false, ordered: false }),
};

class Q8Scheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels = 256;
  private readonly tensor: string;
  /** f16 values, held as f32 because reading an f16 array is slow. */
  private readonly scale: Float32Array;
  private readonly inverse: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("integer", plan, constants);
    this.tensor = plan.name;
    this.scale = perBlock(packed?.scale, blocks);
    this.inverse = new Float32Array(packed ? 0 : blocks);
  }

  fit(block: number, low: number, high: number): void {
    const d = fround(Math.max(-low, high) / 127);
    const scale = toF16(d);
    assertScaleFits(scale, this.tensor, block);
    this.scale[block] = scale;
    this.inverse[block] = d === 0 ? 0 : 1 / d;
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const inverse = this.inverse[block];
    const shift = at - from;
    for (let i = from; i < to; i++) {
      const scaled = fround(source[i] * inverse);
      // exact in f64; |0: an inverse past f32 gives infinities and NaN, which become 0 as on x86
      codes[i + shift] = ((scaled < 0 ? scaled - 0.5 : scaled + 0.5) | 0) + ZERO;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround((codes[i] - ZERO) * scale);
  }

  constants(): PackedConstants {
    const zeroPoints = new Uint8Array(this.scale.length).fill(ZERO);
    return { kind: "integer", scale: this.scale, scaleType: "F16", zeroPoints };
  }
}
