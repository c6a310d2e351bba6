import { GGUF_SIGNED, codeKernels } from "./kernelForms.ts";
import {
  constantsAs,
  perBlock,
  type BlockValues,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { assertScaleFits } from "../plan/overflow.ts";
import { toF16 } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/**
 * GGUF's Q4_0 and Q5_0, as ggml's reference quantizer makes them: a scale whose sign lets the weight of largest magnitude
 * have the lowest code. h = 2^(b−1); d = m/−h, m the first weight of largest |w|; code = min(⌊w·(1/d) + h + ½⌋, 2^b − 1);
 * ŵ = (code − h)·f16(d). All in f32; 1/d is of d before it is rounded to f16. A d of 0 gives codes h and ŵ = 0.
 */
export const ggufSigned: SchemeImplementation = {
  create: (plan, blocks, packed) => new GgufSignedScheme(plan, blocks, packed),
  kernels: codeKernels(GGUF_SIGNED, (levels) => levels / 2, { mse: false, ordered: true }),
};

class GgufSignedScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly tensor: string;
  private readonly half: number;
  /** f16 values, held as f32 because reading an f16 array is slow. */
  private readonly scale: Float32Array;
  private readonly inverse: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("integer", plan, constants);
    this.levels = 2 ** plan.bits;
    this.half = this.levels / 2;
    this.tensor = plan.name;
    this.scale = perBlock(packed?.scale, blocks);
    this.inverse = new Float32Array(packed ? 0 : blocks);
  }

  fit(block: number, low: number, high: number, values: BlockValues): void {
    const lowIsLargest = -low === high ? firstIsNegative(high, values) : -low > high;
    // || 0: of zeros alone ggml keeps the positive one it began with, and d is −0
    const d = fround(((lowIsLargest ? low : high) || 0) / -this.half);
    const scale = toF16(d);
    assertScaleFits(Math.abs(scale), this.tensor, block);
    this.scale[block] = scale;
    this.inverse[block] = d === 0 ? 0 : 1 / d;
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const inverse = this.inverse[block];
    const offset = this.half + 0.5;
    const largest = this.levels - 1;
    const shift = at - from;
    for (let i = from; i < to; i++) {
      // |0: an inverse past f32 gives infinities and NaN, which become code 0 as on x86
      const code = fround(fround(source[i] * inverse) + offset) | 0;
      codes[i + shift] = code > largest ? largest : code;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const half = this.half;
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround((codes[i] - half) * scale);
  }

  constants(): PackedConstants {
    const zeroPoints = new Uint8Array(this.scale.length).fill(this.half);
    return { kind: "integer", scale: this.scale, scaleType: "F16", zeroPoints };
  }
}

/** Whether the first weight of this magnitude or more (the block may not be clipped yet) is below 0. */
function firstIsNegative(magnitude: number, { source, from, to }: BlockValues): boolean {
  for (let i = from; i < to; i++) if (Math.abs(source[i]) >= magnitude) return source[i] < 0;
  return false;
}
