import { LEVELS_MINMAX } from "./kernelForms.ts";
import { assertRangeFits } from "../plan/overflow.ts";
import {
  constantsAs,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { levelKernels, nearestLevel, normalFloat, type NormalFloat } from "./normalFloatLevels.ts";
import { F32_MAX } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/**
 * The NormalFloat variant of the code that accompanies arXiv:2411.07191: lo … hi is mapped to −1 … 1 first.
 * s = 2/(hi − lo); code = nearest level to (w − lo)·s − 1, ties to the lower; ŵ = (level + 1)/s + lo. All in f32.
 * A constant block has s = 1 and stays as it is.
 */
export const normalFloatMinMax: SchemeImplementation = {
  create: (plan, blocks, packed) => new NormalFloatMinMaxScheme(plan, blocks, packed),
  kernels: levelKernels(LEVELS_MINMAX, 1),
};

class NormalFloatMinMaxScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly table: NormalFloat;
  private readonly tensor: string;
  private readonly low: Float32Array;
  private readonly scale: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("offset", plan, constants);
    this.table = normalFloat(plan.bits);
    this.levels = this.table.levels.length;
    this.tensor = plan.name;
    this.low = packed?.low ?? new Float32Array(blocks);
    this.scale = packed?.scale ?? new Float32Array(blocks);
  }

  fit(block: number, low: number, high: number): void {
    const range = fround(high - low);
    assertRangeFits(range, this.tensor, block);
    this.low[block] = low;
    this.scale[block] = range === 0 ? 1 : Math.min(fround(2 / range), F32_MAX);
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const low = this.low[block];
    const scale = this.scale[block];
    const table = this.table;
    const shift = at - from;
    for (let i = from; i < to; i++) {
      codes[i + shift] = nearestLevel(table, fround(fround(fround(source[i] - low) * scale) - 1));
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const low = this.low[block];
    const scale = this.scale[block];
    const levels = this.table.levels;
    const shift = at - from;
    for (let i = from; i < to; i++)
      out[i + shift] = fround(fround(fround(levels[codes[i]] + 1) / scale) + low);
  }

  constants(): PackedConstants {
    return { kind: "offset", low: this.low, scale: this.scale };
  }
}
