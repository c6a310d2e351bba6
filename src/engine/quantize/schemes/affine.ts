import { AFFINE, codeKernels } from "./kernelForms.ts";
import { assertRangeFits } from "../plan/overflow.ts";
import {
  constantsAs,
  ROUND,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { F32_MAX } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/**
 * Round to nearest with a float offset [Yu et al. 2024, arXiv:2411.07191, in the form of the authors' code]:
 * s = (2^b − 1)/(hi − lo); q = round((w − lo)·s); ŵ = q/s + lo. All in f32, ties to even. A constant block has s = 1 and
 * stays as it is. s is rounded twice, as the reciprocal and as its product: so PyTorch divides a number by a tensor, and so
 * come the authors' results; at few bits the last place of s decides thousands of ties. A range so small that s passes the largest f32 gets that as s.
 */
export const affine: SchemeImplementation = {
  create: (plan, blocks, packed) => new AffineScheme(plan, blocks, packed),
  kernels: codeKernels(AFFINE, () => 0, { mse: true, ordered: false }),
};

class AffineScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly tensor: string;
  private readonly low: Float32Array;
  private readonly scale: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("offset", plan, constants);
    this.levels = 2 ** plan.bits;
    this.tensor = plan.name;
    this.low = packed?.low ?? new Float32Array(blocks);
    this.scale = packed?.scale ?? new Float32Array(blocks);
  }

  fit(block: number, low: number, high: number): void {
    const range = fround(high - low);
    assertRangeFits(range, this.tensor, block);
    this.low[block] = low;
    this.scale[block] = range === 0 ? 1 : Math.min(fround(fround(1 / range) * (this.levels - 1)), F32_MAX);
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const low = this.low[block];
    const scale = this.scale[block];
    const shift = at - from;
    for (let i = from; i < to; i++) {
      const scaled = fround(fround(source[i] - low) * scale);
      codes[i + shift] = (fround(scaled + ROUND) - ROUND) | 0;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const low = this.low[block];
    const scale = this.scale[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround(fround(fround(codes[i]) / scale) + low);
  }

  constants(): PackedConstants {
    return { kind: "offset", low: this.low, scale: this.scale };
  }
}
