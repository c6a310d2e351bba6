import { LEVELS } from "./kernelForms.ts";
import { assertScaleFits } from "../plan/overflow.ts";
import {
  constantsAs,
  perBlock,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { levelKernels, nearestLevel, normalFloat, type NormalFloat } from "./normalFloatLevels.ts";
import { F16_TINY, toF16 } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/**
 * NormalFloat with an f16 absmax per block [Dettmers et al. 2023, arXiv:2305.14314]:
 * scale = f16(max|w|); code = nearest level to w/scale, ties to the lower; ŵ = level·scale.
 */
export const normalFloatAbsmax: SchemeImplementation = {
  create: (plan, blocks, packed) => new NormalFloatScheme(plan, blocks, packed),
  kernels: levelKernels(LEVELS, 0),
};

class NormalFloatScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly table: NormalFloat;
  private readonly tensor: string;
  /** f16 values, held as f32 because reading an f16 array is slow. */
  private readonly scale: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("levels", plan, constants);
    this.table = normalFloat(plan.bits);
    this.levels = this.table.levels.length;
    this.tensor = plan.name;
    this.scale = perBlock(packed?.scale, blocks);
  }

  fit(block: number, low: number, high: number): void {
    const scale = toF16(Math.max(-low, high)) || F16_TINY;
    assertScaleFits(scale, this.tensor, block);
    this.scale[block] = scale;
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const scale = this.scale[block];
    const table = this.table;
    const shift = at - from;
    for (let i = from; i < to; i++) codes[i + shift] = nearestLevel(table, fround(source[i] / scale));
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const levels = this.table.levels;
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround(levels[codes[i]] * scale);
  }

  constants(): PackedConstants {
    return { kind: "levels", scale: new Float16Array(this.scale) };
  }
}
