import {
  constantsAs,
  ROUND,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { assertRangeFits, assertScaleFits } from "../plan/overflow.ts";
import { bitsOf, roundToStorage } from "#engine/numeric/halfTypes.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";

const { fround } = Math;

/** The least step of a block, by which one of equal weights is divided. */
const EPSILON = fround(1e-7);

/**
 * MLX's affine mode, as mlx.core.quantize and dequantize compute it on a CPU (mlx/backend/cpu/quantized.cpp, 0.32). The edge is the
 * end of the range that is farther from 0, and the step is fitted so that the edge is a whole number of steps:
 * s = max((hi − lo)/(2^b − 1), 10⁻⁷), negative where the edge is hi; n = round(edge/s); s = edge/n, bias = edge, or s as it is and
 * bias = 0 where n = 0; code = round((w − bias)/s) within 0 … 2^b − 1. All in f32, ties to even; s and bias are then stored in the
 * checkpoint's type T. ŵ = T(T(code·s) + bias).
 */
export const mlxAffine: SchemeImplementation = {
  create: (plan, blocks, packed) => new MlxScheme(plan, blocks, packed),
  kernels: null,
};

class MlxScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly tensor: string;
  private readonly storage: StorageType;
  /** Values of the checkpoint's type, as they are stored. */
  private readonly scale: Float32Array;
  private readonly bias: Float32Array;
  /** What codes are taken with, per block. */
  private readonly exactScale: Float32Array;
  private readonly exactBias: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("biased", plan, constants);
    this.levels = 2 ** plan.bits;
    this.tensor = plan.name;
    this.storage = plan.storage;
    this.scale = packed?.scale ?? new Float32Array(blocks);
    this.bias = packed?.bias ?? new Float32Array(blocks);
    this.exactScale = new Float32Array(packed ? 0 : blocks);
    this.exactBias = new Float32Array(packed ? 0 : blocks);
  }

  fit(block: number, low: number, high: number): void {
    const range = fround(high - low);
    assertRangeFits(range, this.tensor, block);
    const fromLow = Math.abs(low) > Math.abs(high);
    const edge = fromLow ? low : high;
    const step = Math.max(fround(range / (this.levels - 1)), EPSILON);
    const signed = fromLow ? step : -step;
    const steps = roundHalfEven(fround(edge / signed));
    this.exactScale[block] = steps === 0 ? signed : edge / steps;
    this.exactBias[block] = steps === 0 ? 0 : edge;
    this.store(this.scale, this.exactScale[block], block);
    this.store(this.bias, this.exactBias[block], block);
  }

  private store(constants: Float32Array, value: number, block: number): void {
    constants[block] = value;
    roundToStorage(constants, bitsOf(constants), block, block + 1, this.storage);
    assertScaleFits(Math.abs(constants[block]), this.tensor, block, this.storage);
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const scale = this.exactScale[block];
    const bias = this.exactBias[block];
    const largest = this.levels - 1;
    const shift = at - from;
    for (let i = from; i < to; i++) {
      const scaled = fround(fround(source[i] - bias) / scale);
      const code = fround(scaled + ROUND) - ROUND;
      codes[i + shift] = Math.min(Math.max(code, 0), largest);
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const bias = this.bias[block];
    const end = at + to - from;
    for (let i = at; i < end; i++) out[i] = codes[i - at + from] * scale;
    roundToStorage(out, bitsOf(out), at, end, this.storage);
    for (let i = at; i < end; i++) out[i] += bias;
  }

  constants(): PackedConstants {
    return { kind: "biased", scale: this.scale, bias: this.bias };
  }
}

/** To the nearest whole number, ties to even, at any magnitude: of a block of equal weights the steps are many. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const part = x - below;
  if (part !== 0.5) return part < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
