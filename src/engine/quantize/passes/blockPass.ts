import { blockLayout, positionInBlocks, toTileOrder } from "../plan/blockLayout.ts";
import { BlockRange } from "../range/blockRange.ts";
import { blockThreshold, clampTo, tensorThreshold } from "../range/clipThreshold.ts";
import type { Scheme } from "../schemes/scheme.ts";
import { replaceHeldOut } from "../range/excludeFromRange.ts";
import { configureKernels } from "./configure.ts";
import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import { clamp, mseThreshold } from "../range/mseThreshold.ts";
import { bitsOf, roundToStorage } from "#engine/numeric/halfTypes.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { vectorMseThreshold } from "../range/vectorThreshold.ts";

/** True where a plan's weights are changed or moved before they are encoded, so that a working copy is needed. */
export function needsWorkingCopy(plan: TensorPlan): boolean {
  return plan.range !== null || plan.excludeFromRange || plan.granularity.kind === "tile";
}

/**
 * The tensor in block order with its held-out weights replaced: `weights` itself where nothing changes, else `working`.
 * @param restored row-major indices of the restored weights, which are also the held-out ones
 */
export function prepareWeights(
  weights: Float32Array,
  plan: TensorPlan,
  restored: Uint32Array,
  working: Float32Array,
): Float32Array {
  if (!needsWorkingCopy(plan)) return weights;
  if (plan.granularity.kind === "tile") toTileOrder(weights, plan, working);
  else working.set(weights);
  if (plan.excludeFromRange) {
    const positions = restored.map((index) => positionInBlocks(plan, index)).sort();
    replaceHeldOut(working, blockLayout(plan), positions);
  }
  return working;
}

/** Clips and fits one block after another; made once per tensor. */
export interface BlockFitter {
  /** Clips source[from, to) in place and fits the scheme's slot to it; returns how many weights clipping changed. */
  fit(slot: number, from: number, to: number): number;
}

/**
 * @param source the tensor from {@link prepareWeights}; written to only where the plan clips
 * @param kernels search the mse threshold where given
 */
export function blockFitter(
  scheme: Scheme,
  plan: TensorPlan,
  source: Float32Array,
  kernels: Kernels | null,
): BlockFitter {
  const { range } = plan;
  const ofTensor = range?.method === "tensor-percentage" ? tensorThreshold(source, range.threshold) : null;
  const extremes = new BlockRange(source);
  const values = { source, from: 0, to: 0 };
  if (kernels) configureKernels(kernels, plan);
  const search = (slot: number, from: number, to: number, low: number, high: number): number =>
    (kernels && vectorMseThreshold(kernels, source, from, to, low, high)) ??
    mseThreshold(scheme, slot, source, from, to, low, high);
  return {
    fit(slot, from, to) {
      extremes.scan(from, to);
      const { low, high } = extremes;
      values.from = from;
      values.to = to;
      if (!range) {
        scheme.fit(slot, low, high, values);
        return 0;
      }
      let threshold: number;
      if (range.method === "mse") threshold = search(slot, from, to, low, high);
      else if (range.method === "tensor-percentage") threshold = ofTensor ?? Infinity;
      else threshold = blockThreshold(range, source, from, to);
      scheme.fit(slot, clamp(low, threshold), clamp(high, threshold), values);
      return clampTo(source, from, to, threshold);
    },
  };
}

const MAX_LEVELS = 256;
const everyCode = Uint8Array.from({ length: MAX_LEVELS }, (_, code) => code);
const table = new Float32Array(MAX_LEVELS);
const tableBits = bitsOf(table);

/**
 * out[at …] = codes[from, to) of one block, decoded and rounded to the storage type. Where a block has many more weights
 * than levels, and its scheme decodes by table, each level is decoded and rounded once; the arithmetic, and so every bit of the result, is the same.
 */
export function decodeStored(
  scheme: Scheme,
  slot: number,
  codes: Uint8Array,
  from: number,
  to: number,
  out: Float32Array,
  outBits: Int32Array,
  at: number,
  storage: TensorPlan["storage"],
): void {
  if (!scheme.decodesByTable || scheme.levels * 2 > to - from) {
    scheme.decode(slot, codes, from, to, out, at);
    roundToStorage(out, outBits, at, at + to - from, storage);
    return;
  }
  scheme.decode(slot, everyCode, 0, scheme.levels, table, 0);
  roundToStorage(table, tableBits, 0, scheme.levels, storage);
  lookUp(codes, from, to, out, at);
}

function lookUp(codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
  const shift = at - from;
  for (let i = from; i < to; i++) out[i + shift] = table[codes[i]];
}
