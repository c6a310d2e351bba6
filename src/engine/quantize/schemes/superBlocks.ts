import { assertScaleFits } from "../plan/overflow.ts";
import {
  constantsAs,
  perBlock,
  type BlockValues,
  type PackedConstants,
  type Scheme,
  type SchemeImplementation,
  type SchemePlan,
} from "./scheme.ts";
import type { FittedBlock, SuperBlockForm } from "../superBlocks/form.ts";

const { fround } = Math;

/**
 * ggml's types whose scales are searched for, bit for bit as ggml makes them without and with importance. A block's codes hang
 * on all of its weights, and are found with its constants.
 */
export function superBlocks(form: SuperBlockForm): SchemeImplementation {
  return {
    create: (plan, blocks, packed) => new SuperBlockScheme(form, plan, blocks, packed),
    kernels: null,
  };
}

class SuperBlockScheme implements Scheme {
  readonly decodesByTable = false;
  readonly levels: number;
  private readonly form: SuperBlockForm;
  private readonly runs: number;
  private readonly plan: SchemePlan;
  private readonly importance: Float32Array | null;
  /** f16 values, held as f32 because reading an f16 array is slow. */
  private readonly d: Float32Array;
  private readonly dmin: Float32Array;
  private readonly scales: Int8Array;
  private readonly minimums: Uint8Array;
  private readonly clipped: Float32Array;
  private readonly fitted: FittedBlock;

  constructor(form: SuperBlockForm, plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("super-blocks", plan, constants);
    this.form = form;
    this.plan = plan;
    this.levels = form.values.length;
    this.runs = form.weights / form.run;
    this.importance = plan.inputs?.squares() ?? null;
    this.d = perBlock(packed?.d, blocks);
    this.dmin = perBlock(packed?.dmin, blocks);
    this.scales = packed?.scales ?? new Int8Array(blocks * this.runs);
    this.minimums = packed?.minimums ?? new Uint8Array(blocks * this.runs);
    this.clipped = new Float32Array(form.weights);
    this.fitted = {
      d: 0,
      dmin: 0,
      scales: new Int8Array(this.runs),
      minimums: new Uint8Array(this.runs),
      codes: new Uint8Array(form.weights),
    };
  }

  fit(block: number, low: number, high: number, { source, from, to }: BlockValues): void {
    const { clipped, fitted, runs, plan } = this;
    for (let i = from; i < to; i++) clipped[i - from] = Math.min(Math.max(source[i], low), high);
    this.form.fit(clipped, 0, this.importance, from % plan.columns, fitted);
    assertScaleFits(Math.abs(fitted.d), plan.name, block);
    assertScaleFits(Math.abs(fitted.dmin), plan.name, block);
    this.d[block] = fitted.d;
    this.dmin[block] = fitted.dmin;
    this.scales.set(fitted.scales, block * runs);
    this.minimums.set(fitted.minimums, block * runs);
  }

  /** The codes of the block that was fitted last. */
  encode(
    _block: number,
    _source: Float32Array,
    from: number,
    to: number,
    codes: Uint8Array,
    at: number,
  ): void {
    codes.set(this.fitted.codes.subarray(0, to - from), at);
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const { form, runs } = this;
    const { values, run } = form;
    for (let begin = from, k = block * runs; begin < to; begin += run, k++) {
      const scale = fround(this.d[block] * this.scales[k]);
      const minimum = fround(this.dmin[block] * this.minimums[k]);
      for (let i = begin; i < begin + run; i++)
        out[at + i - from] = fround(fround(scale * values[codes[i]]) - minimum);
    }
  }

  constants(): PackedConstants {
    const { d, dmin, scales, minimums } = this;
    return { kind: "super-blocks", d: new Float16Array(d), dmin: new Float16Array(dmin), scales, minimums };
  }
}
