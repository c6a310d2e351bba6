import { GGUF_AFFINE, codeKernels } from "./kernelForms.ts";
import {
  constantsAs,
  perBlock,
  type BlockValues,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { assertRangeFits, assertScaleFits } from "../plan/overflow.ts";
import { toF16 } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/**
 * GGUF's Q4_1 and Q5_1, as ggml's reference quantizer makes them: d = (hi − lo)/(2^b − 1);
 * code = min(⌊(w − lo)·(1/d) + ½⌋, 2^b − 1); ŵ = code·f16(d) + f16(lo). All in f32; codes are taken with d and lo before
 * they are rounded to f16. A d of 0 gives codes 0.
 */
export const ggufAffine: SchemeImplementation = {
  create: (plan, blocks, packed) => new GgufAffineScheme(plan, blocks, packed),
  kernels: codeKernels(GGUF_AFFINE, () => -1, { mse: false, ordered: true }),
};

class GgufAffineScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly tensor: string;
  /** f16 values, held as f32 because reading an f16 array is slow. */
  private readonly scale: Float32Array;
  private readonly low: Float32Array;
  /** What codes are taken with, per block. */
  private readonly exactLow: Float32Array;
  private readonly inverse: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("affine", plan, constants);
    this.levels = 2 ** plan.bits;
    this.tensor = plan.name;
    this.scale = perBlock(packed?.scale, blocks);
    this.low = perBlock(packed?.low, blocks);
    this.exactLow = new Float32Array(packed ? 0 : blocks);
    this.inverse = new Float32Array(packed ? 0 : blocks);
  }

  fit(block: number, low: number, high: number, values: BlockValues): void {
    const range = fround(high - low);
    assertRangeFits(range, this.tensor, block);
    const d = fround(range / (this.levels - 1));
    const scale = toF16(d);
    const storedLow = toF16(low === 0 ? firstZero(values) : low);
    assertScaleFits(scale, this.tensor, block);
    assertScaleFits(Math.abs(storedLow), this.tensor, block);
    this.scale[block] = scale;
    this.low[block] = storedLow;
    this.exactLow[block] = low;
    this.inverse[block] = d === 0 ? 0 : 1 / d;
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const low = this.exactLow[block];
    const inverse = this.inverse[block];
    const largest = this.levels - 1;
    const shift = at - from;
    for (let i = from; i < to; i++) {
      // |0: an inverse past f32 gives infinities and NaN, which become code 0 as on x86
      const code = fround(fround(fround(source[i] - low) * inverse) + 0.5) | 0;
      codes[i + shift] = code > largest ? largest : code;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const low = this.low[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround(fround(codes[i] * scale) + low);
  }

  constants(): PackedConstants {
    return { kind: "affine", scale: new Float16Array(this.scale), low: new Float16Array(this.low) };
  }
}

/** The first 0 or −0 of a block without negative weights: the one that ggml keeps as the lowest. */
function firstZero({ source, from, to }: BlockValues): number {
  for (let i = from; i < to; i++) if (source[i] === 0) return source[i];
  return 0;
}
