import { blockLayout, fromTileOrder } from "./blockLayout.ts";
import { prepareWeights } from "./blockPass.ts";
import { storedBits } from "./bitsPerWeight.ts";
import { tensorThreshold } from "./clipThreshold.ts";
import { configureKernels } from "./kernels/configure.ts";
import type { Kernels } from "./kernels/kernels.ts";
import { restoredIndices } from "./restoreWeights.ts";
import type { QuantizationStatistics } from "./statistics.ts";
import type { TensorPlan } from "./types.ts";
import { forPieces, longThreshold, setThresholds } from "./vectorThreshold.ts";

/**
 * {@link quantizeDequantize} with the SIMD kernels: the same bits as scalarPass.ts, sums included.
 * @returns null where a weight is not finite or something overflows: the scalar path then says which
 */
export function vectorPass(
  kernels: Kernels,
  weights: Float32Array,
  plan: TensorPlan,
  out: Float32Array,
): QuantizationStatistics | null {
  configureKernels(kernels, plan);
  const restored = restoredIndices(weights, plan);
  const tiles = plan.block.kind === "tile" ? new Float32Array(out.length) : null;
  // Clipping happens in the kernels: only what moves or replaces weights needs a copy of them.
  const source = prepareWeights(weights, { ...plan, clip: null }, restored, tiles ?? out);
  kernels.clearStatistics();
  const pass = new VectorPass(kernels, weights, plan, source, tiles ?? out, tiles ? null : restored);
  if (!pass.run()) return null;
  if (tiles) {
    fromTileOrder(tiles, plan, out);
    for (const index of restored) out[index] = weights[index];
    forPieces(kernels, weights, 0, weights.length, (count, begin) => {
      kernels.output.set(out.subarray(begin, begin + count));
      kernels.addStatistics(count, 0, 0);
    });
  }
  const sumSquares = kernels.totalOfLanes(kernels.at.squares);
  const sumSquaredError = kernels.totalOfLanes(kernels.at.errors);
  if (!Number.isFinite(sumSquares) || !Number.isFinite(sumSquaredError)) return null;
  return {
    weights: weights.length,
    sumSquares,
    sumSquaredError,
    maxAbsError: kernels.largestError(),
    clipped: pass.clipped,
    restored: restored.length,
    storedBits: storedBits(plan),
  };
}

/** One tensor on its way through the kernels, `capacity` weights at a time. */
class VectorPass {
  clipped = 0;
  private readonly kernels: Kernels;
  private readonly weights: Float32Array;
  private readonly plan: TensorPlan;
  private readonly source: Float32Array;
  private readonly target: Float32Array;
  private readonly restored: Uint32Array | null;
  private readonly ofTensor: number;
  private nextRestored = 0;

  /**
   * @param source what is quantized, in block order
   * @param target receives ŵ in block order; may be `source`
   * @param restored null where restoring and measuring come later, in row-major order
   */
  constructor(
    kernels: Kernels,
    weights: Float32Array,
    plan: TensorPlan,
    source: Float32Array,
    target: Float32Array,
    restored: Uint32Array | null,
  ) {
    this.kernels = kernels;
    this.weights = weights;
    this.plan = plan;
    this.source = source;
    this.target = target;
    this.restored = restored;
    const { clip } = plan;
    this.ofTensor = clip?.method === "tensor-percentage" ? tensorThreshold(source, clip.threshold) : Infinity;
  }

  /** Fills `target`; false where constants overflow. */
  run(): boolean {
    const { weights, size, stretch } = blockLayout(this.plan);
    const { capacity } = this.kernels;
    const step = size > capacity ? size : Math.floor(capacity / size) * size;
    for (let first = 0; first < weights; first += stretch) {
      for (let begin = first; begin < first + stretch; begin += step) {
        const end = Math.min(begin + step, first + stretch);
        const fits = end - begin > capacity ? this.longBlock(begin, end) : this.wholeBlocks(begin, end, size);
        if (!fits) return false;
      }
    }
    return true;
  }

  private wholeBlocks(begin: number, end: number, size: number): boolean {
    const { kernels, plan, source } = this;
    const count = end - begin;
    kernels.input.set(source.subarray(begin, end));
    kernels.ranges(size, count);
    if (!setThresholds(kernels, plan.clip, this.ofTensor, source, begin, count, size)) return false;
    if (!kernels.fitBlocks(Math.ceil(count / size))) return false;
    this.roundTrip(begin, count, size);
    return true;
  }

  private longBlock(begin: number, end: number): boolean {
    const { kernels, plan, source } = this;
    let [low, high] = [Infinity, -Infinity];
    forPieces(kernels, source, begin, end, (count) => {
      kernels.ranges(count, count);
      low = Math.min(low, kernels.low[0]);
      high = Math.max(high, kernels.high[0]);
    });
    [kernels.low[0], kernels.high[0]] = [low, high];
    const threshold = longThreshold(kernels, plan.clip, this.ofTensor, source, begin, end);
    if (threshold === null) return false;
    kernels.threshold[0] = threshold;
    if (!kernels.fitBlocks(1)) return false;
    forPieces(kernels, source, begin, end, (count, from) => this.roundTrip(from, count, count));
    return true;
  }

  /** The weights in the kernels' input become ŵ: restored, measured and copied out. */
  private roundTrip(begin: number, count: number, size: number): void {
    const { kernels, weights, restored } = this;
    if (this.plan.clip) this.clipped += kernels.countClipped(size, count);
    kernels.roundTripBlocks(size, count);
    if (restored) {
      for (; restored[this.nextRestored] < begin + count; this.nextRestored++) {
        const index = restored[this.nextRestored];
        kernels.output[index - begin] = weights[index];
      }
      const replaced = this.source !== weights;
      if (replaced) kernels.original.set(weights.subarray(begin, begin + count));
      kernels.addStatistics(count, begin % 4, replaced ? 1 : 0);
    }
    this.target.set(kernels.output.subarray(0, count), begin);
  }
}
