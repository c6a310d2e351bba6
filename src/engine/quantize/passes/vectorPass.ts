import { fromTileOrder } from "../plan/blockLayout.ts";
import { prepareWeights } from "./blockPass.ts";
import { storedBits } from "../plan/bitsPerWeight.ts";
import { configureKernels } from "./configure.ts";
import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import { restoredIndices } from "../plan/restoreWeights.ts";
import type { QuantizationStatistics } from "../plan/statistics.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { forFittedPieces, type FittedPiece } from "./vectorBlocks.ts";
import { forPieces } from "../range/vectorThreshold.ts";

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
  const tiles = plan.granularity.kind === "tile" ? new Float32Array(out.length) : null;
  // Clipping happens in the kernels: only what moves or replaces weights needs a copy of them.
  const source = prepareWeights(weights, { ...plan, range: null }, restored, tiles ?? out);
  kernels.clearStatistics();
  const trip = new RoundTrip(kernels, weights, plan, source, tiles ?? out, tiles ? null : restored);
  if (!forFittedPieces(kernels, plan, source, (piece) => trip.piece(piece))) return null;
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
    clipped: trip.clipped,
    restored: restored.length,
    storedBits: storedBits(plan),
  };
}

/** Restores, measures and copies out what the kernels made of one piece after another, in ascending order. */
class RoundTrip {
  clipped = 0;
  private readonly kernels: Kernels;
  private readonly weights: Float32Array;
  private readonly plan: TensorPlan;
  private readonly source: Float32Array;
  private readonly target: Float32Array;
  private readonly restored: Uint32Array | null;
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
  }

  /** The weights in the kernels' input become ŵ. */
  piece({ begin, count, size }: FittedPiece): void {
    const { kernels, weights, restored } = this;
    if (this.plan.range) this.clipped += kernels.countClipped(size, count);
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
