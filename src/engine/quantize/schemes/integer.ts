import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { INT, STORAGE } from "./kernelForms.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import {
  constantsAs,
  ROUND,
  type Scheme,
  type SchemePlan,
  type PackedConstants,
  type SchemeImplementation,
} from "./scheme.ts";
import { integerGrid, type IntegerGrid } from "../plan/integerGrid.ts";
import { assertScaleFits } from "../plan/overflow.ts";
import { LARGEST, roundScale } from "#engine/numeric/halfTypes.ts";

const { fround } = Math;

/**
 * Integer codes with a scale and an integer zero point, ŵ = (code − zero)·scale, as packed formats store them. With lo ≤ 0 ≤ hi
 * the block's range widened to hold 0, T the scale's type, and what else differs in the scheme's {@link IntegerGrid}:
 *
 * Asymmetric: s = (hi − lo)/(2^b − 1), scale = T(s), zero = clamp(round(−lo/s)).
 * Symmetric: s = max|w|/steps, scale = T(s), zero = 2^(b−1).
 * Both: code = clamp(round(w/s) + zero), or with the zero point first clamp(round(w/s + zero − 2^(b−1)) + 2^(b−1)).
 */
export const integer: SchemeImplementation = {
  create: (plan, blocks, packed) => new IntegerScheme(plan, blocks, packed),
  kernels: { configure: configureInteger, codes: true, mse: true, ordered: false },
};

class IntegerScheme implements Scheme {
  readonly decodesByTable = true;
  readonly levels: number;
  private readonly grid: IntegerGrid;
  private readonly tensor: string;
  private readonly symmetric: boolean;
  private readonly middle: number;
  private readonly smallest: number;
  private readonly steps: number;
  private readonly scaleType: StorageType;
  private readonly scale: Float32Array;
  private readonly zeroPoints: Uint8Array;
  /** What codes are divided by; `scale` itself where the grid takes codes from the stored scale. */
  private readonly divisor: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("integer", plan, constants);
    this.grid = integerGrid(plan);
    this.levels = 2 ** plan.bits;
    this.tensor = plan.name;
    this.symmetric = plan.symmetric;
    this.middle = this.levels / 2;
    this.smallest = plan.symmetric ? this.grid.smallest : 0;
    this.steps = plan.symmetric ? this.grid.symmetricSteps : this.levels - 1;
    this.scaleType = this.grid.scaleTypes.at(-1) ?? "F16";
    this.scale = packed?.scale ?? new Float32Array(blocks);
    this.zeroPoints = packed?.zeroPoints ?? new Uint8Array(blocks).fill(this.middle);
    this.divisor = this.grid.codesFrom === "stored" ? this.scale : new Float32Array(blocks);
  }

  fit(block: number, low: number, high: number): void {
    const { emptyBound, leastRange, scaleTypes, zeroScale, codesFrom } = this.grid;
    const empty = low === 0 && high === 0;
    const bottom = empty ? -emptyBound : Math.min(low, 0);
    const top = empty ? emptyBound : Math.max(high, 0);
    const range = Math.max(this.symmetric ? Math.max(-bottom, top) : fround(top - bottom), leastRange);
    const exact = fround(range / this.steps);
    const rounded = roundScale(exact, scaleTypes);
    assertScaleFits(rounded, this.tensor, block, this.scaleType);
    this.scale[block] = rounded || zeroScale;
    const divisor = codesFrom === "exact" && rounded > 0 ? exact : this.scale[block];
    this.divisor[block] = divisor;
    if (!this.symmetric)
      this.zeroPoints[block] = this.grid.zeroFirst
        ? this.signedZero(bottom, exact)
        : this.zeroPoint(bottom, divisor);
  }

  private zeroPoint(bottom: number, scale: number): number {
    return Math.min(Math.max(nearest(fround(-bottom / scale)), 0), this.levels - 1);
  }

  /** In the library's signed codes, whose 0/0 becomes 0, and back. */
  private signedZero(bottom: number, scale: number): number {
    const { middle } = this;
    if (scale === 0) return middle;
    const signed = fround(-middle - fround(bottom / scale));
    return nearest(Math.min(Math.max(signed, -middle), middle - 1)) + middle;
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const divisor = this.divisor[block];
    const zero = this.zeroPoints[block];
    const smallest = this.smallest;
    const largest = this.levels - 1;
    const shift = at - from;
    const before = this.grid.zeroFirst ? zero - this.middle : 0;
    // Rounding and what is added after it in one step: ROUND is taken off again as an integer.
    const after = (this.grid.zeroFirst ? this.middle : zero) - ROUND;
    for (let i = from; i < to; i++) {
      const code = (fround(fround(fround(source[i] / divisor) + before) + ROUND) + after) | 0;
      codes[i + shift] = code < smallest ? smallest : code > largest ? largest : code;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const zero = this.zeroPoints[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround(fround(codes[i] - zero) * scale);
  }

  constants(): PackedConstants {
    return { kind: "integer", scale: this.scale, scaleType: this.scaleType, zeroPoints: this.zeroPoints };
  }
}

/** Nearest integer, ties to even, of an f32 below 2^22. */
function nearest(x: number): number {
  return fround(fround(x + ROUND) - ROUND);
}

function configureInteger(module: Kernels, plan: TensorPlan): void {
  const grid = integerGrid(plan);
  const levels = 2 ** plan.bits;
  const { symmetric } = plan;
  module.configure(
    INT,
    symmetric ? grid.symmetricSteps : levels - 1,
    symmetric ? grid.smallest : 0,
    levels - 1,
    symmetric ? levels / 2 : -1,
    0,
    STORAGE[plan.storage],
  );
  const first = grid.scaleTypes[0] ?? "F32";
  const last = grid.scaleTypes.at(-1) ?? "F32";
  module.configureGrid(
    STORAGE[first],
    STORAGE[last],
    LARGEST[last],
    grid.zeroScale,
    grid.codesFrom === "exact" ? 1 : 0,
    grid.zeroFirst ? levels / 2 : 0,
    grid.emptyBound,
    grid.leastRange,
  );
}
