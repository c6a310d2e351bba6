import { blockLayout } from "../plan/blockLayout.ts";
import { tensorThreshold } from "../range/clipThreshold.ts";
import { hasOrderedConstants } from "./configure.ts";
import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { forPieces, longThreshold, setThresholds } from "../range/vectorThreshold.ts";

/** Weights in the kernels' input, whose blocks have their constants. */
export interface FittedPiece {
  /** Where the piece begins in the tensor, in weights, and how many there are. */
  readonly begin: number;
  readonly count: number;
  /** Weights of a block; a piece of a block longer than the kernels hold counts as one block. */
  readonly size: number;
  /** The piece's first block. */
  readonly block: number;
}

/**
 * Clips and fits the blocks of a tensor, `capacity` weights at a time, and hands on one piece after another, in ascending order.
 * The kernels are configured for the plan.
 * @param source the tensor in block order, its held-out weights replaced
 * @returns false where constants overflow, or depend on the order in a block longer than the kernels hold
 */
export function forFittedPieces(
  kernels: Kernels,
  plan: TensorPlan,
  source: Float32Array,
  work: (piece: FittedPiece) => void,
): boolean {
  const { weights, size, span } = blockLayout(plan);
  const { capacity } = kernels;
  const fitter = new PieceFitter(kernels, plan, source, work);
  const step = size > capacity ? size : Math.floor(capacity / size) * size;
  for (let first = 0; first < weights; first += span) {
    for (let begin = first; begin < first + span; begin += step) {
      const end = Math.min(begin + step, first + span);
      const fits =
        end - begin > capacity ? fitter.longBlock(begin, end) : fitter.wholeBlocks(begin, end, size);
      if (!fits) return false;
    }
  }
  return true;
}

class PieceFitter {
  private readonly kernels: Kernels;
  private readonly plan: TensorPlan;
  private readonly source: Float32Array;
  private readonly work: (piece: FittedPiece) => void;
  private readonly ofTensor: number;
  private readonly ordered: boolean;
  private block = 0;

  constructor(kernels: Kernels, plan: TensorPlan, source: Float32Array, work: (piece: FittedPiece) => void) {
    this.kernels = kernels;
    this.plan = plan;
    this.source = source;
    this.work = work;
    this.ordered = hasOrderedConstants(plan);
    const { range } = plan;
    this.ofTensor =
      range?.method === "tensor-percentage" ? tensorThreshold(source, range.threshold) : Infinity;
  }

  wholeBlocks(begin: number, end: number, size: number): boolean {
    const { kernels, plan, source } = this;
    const count = end - begin;
    kernels.input.set(source.subarray(begin, end));
    kernels.ranges(size, count);
    if (!setThresholds(kernels, plan.range, this.ofTensor, source, begin, count, size)) return false;
    const blocks = Math.ceil(count / size);
    if (!kernels.fitBlocks(blocks)) return false;
    if (this.ordered) kernels.settleSigns(size, count);
    this.work({ begin, count, size, block: this.block });
    this.block += blocks;
    return true;
  }

  longBlock(begin: number, end: number): boolean {
    const { kernels, plan, source } = this;
    if (this.ordered) return false;
    let [low, high] = [Infinity, -Infinity];
    forPieces(kernels, source, begin, end, (count) => {
      kernels.ranges(count, count);
      low = Math.min(low, kernels.low[0]);
      high = Math.max(high, kernels.high[0]);
    });
    [kernels.low[0], kernels.high[0]] = [low, high];
    const threshold = longThreshold(kernels, plan.range, this.ofTensor, source, begin, end);
    if (threshold === null) return false;
    kernels.threshold[0] = threshold;
    if (!kernels.fitBlocks(1)) return false;
    const { block } = this;
    forPieces(kernels, source, begin, end, (count, from) =>
      this.work({ begin: from, count, size: count, block }),
    );
    this.block += 1;
    return true;
  }
}
