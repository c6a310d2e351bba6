import { MATMULNBITS, codeKernels } from "./kernelForms.ts";
import {
  constantsAs,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { assertScaleFits } from "../plan/overflow.ts";

const { fround } = Math;

/**
 * Integer codes as onnxruntime's own quantizer for MatMulNBits makes them, with an f32 scale, ŵ = (code − zero)·scale:
 *
 * Asymmetric: the range is widened to hold 0; scale = (hi − lo)/(2^b − 1), zero = clamp(round(−lo/scale)).
 * Symmetric: scale = −m/2^(b−1) with m the weight of largest magnitude, so that m itself is code 0 and exact; zero = 2^(b−1).
 * Both: code = clamp(round(w·r + zero)), r = 1/scale. All in f32; round takes halves away from 0.
 *
 * A block of zeros has scale 0, and so has one whose 1/scale is past the largest f32.
 */
export const matMulNBits: SchemeImplementation = {
  create: (plan, blocks, packed) => new MatMulNBitsScheme(plan, blocks, packed),
  kernels: codeKernels(MATMULNBITS, (levels, symmetric) => (symmetric ? levels / 2 : -1), {
    mse: true,
    ordered: false,
  }),
};

class MatMulNBitsScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly tensor: string;
  private readonly symmetric: boolean;
  private readonly scale: Float32Array;
  private readonly zeroPoints: Uint8Array;
  private readonly reciprocal: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("integer", plan, constants);
    this.levels = 2 ** plan.bits;
    this.tensor = plan.name;
    this.symmetric = plan.symmetric;
    this.scale = packed?.scale ?? new Float32Array(blocks);
    this.zeroPoints = packed?.zeroPoints ?? new Uint8Array(blocks).fill(this.levels / 2);
    this.reciprocal = new Float32Array(blocks);
  }

  fit(block: number, low: number, high: number): void {
    const largest = this.levels - 1;
    const [bottom, top] = [Math.min(low, 0), Math.max(high, 0)];
    const furthest = Math.abs(high) > Math.abs(low) ? high : low;
    const exact = this.symmetric
      ? fround(furthest / (-this.levels / 2))
      : fround(fround(top - bottom) / largest);
    assertScaleFits(Math.abs(exact), this.tensor, block, "F32");
    const reciprocal = fround(1 / exact);
    const usable = Number.isFinite(reciprocal);
    this.scale[block] = usable ? exact : 0;
    this.reciprocal[block] = usable ? reciprocal : 0;
    if (this.symmetric) return;
    const zero = usable ? fround(0 - fround(bottom / exact)) : 0;
    this.zeroPoints[block] = Math.min(Math.floor(zero + 0.5), largest);
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const reciprocal = this.reciprocal[block];
    const zero = this.zeroPoints[block];
    const largest = this.levels - 1;
    const shift = at - from;
    for (let i = from; i < to; i++) {
      // f64 adds the half exactly; what is negative becomes 0 whichever way its halves go
      const code = Math.floor(fround(fround(source[i] * reciprocal) + zero) + 0.5);
      codes[i + shift] = code < 0 ? 0 : code > largest ? largest : code;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const zero = this.zeroPoints[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround((codes[i] - zero) * scale);
  }

  constants(): PackedConstants {
    return { kind: "integer", scale: this.scale, scaleType: "F32", zeroPoints: this.zeroPoints };
  }
}
