import type { TensorError } from "#shared/evaluation.ts";
import { bitsPerWeight, storedBits } from "./bitsPerWeight.ts";
import type { TensorPlan } from "./tensorPlan.ts";

/** Sums over one quantized tensor, in f64, so that tensors can be pooled by adding. */
export interface QuantizationStatistics {
  readonly weights: number;
  /** Σw². */
  readonly sumSquares: number;
  /** Σ(w − ŵ)². */
  readonly sumSquaredError: number;
  readonly maxAbsError: number;
  /** Weights that clipping changed, those restored later included. */
  readonly clipped: number;
  readonly restored: number;
  /** Codes, constants and restored weights, in bits (see bitsPerWeight.ts). */
  readonly storedBits: number;
}

/** Adds up the four lanes of a sum in f64: value i goes to lane i mod 4, so that SIMD can keep the order. */
export function totalOfLanes([first, second, third, fourth]: ArrayLike<number> & Iterable<number>): number {
  return first + third + (second + fourth);
}

/** Running sums of ŵ against w, in {@link totalOfLanes lanes} by the index in the tensor. */
export class ErrorSums {
  maxAbsError = 0;
  private readonly squares = new Float64Array(4);
  private readonly errors = new Float64Array(4);

  /** Σw² so far. */
  get sumSquares(): number {
    return totalOfLanes(this.squares);
  }

  /** Σ(w − ŵ)² so far. */
  get sumSquaredError(): number {
    return totalOfLanes(this.errors);
  }

  /** Adds the weights of [from, to). */
  add(weights: Float32Array, restored: Float32Array, from: number, to: number): void {
    const { squares, errors } = this;
    let largest = this.maxAbsError;
    for (let i = from; i < to; i++) {
      const weight = weights[i];
      const error = weight - restored[i];
      squares[i & 3] += weight * weight;
      errors[i & 3] += error * error;
      const magnitude = Math.abs(error);
      if (magnitude > largest) largest = magnitude;
    }
    this.maxAbsError = largest;
  }

  /** The sums as the statistics of a whole tensor. */
  whole(
    plan: TensorPlan,
    counts: Pick<QuantizationStatistics, "clipped" | "restored">,
  ): QuantizationStatistics {
    const { sumSquares, sumSquaredError, maxAbsError } = this;
    const sums = { weights: plan.rows * plan.columns, sumSquares, sumSquaredError, maxAbsError };
    return { ...sums, ...counts, storedBits: storedBits(plan) };
  }
}

/** 10·log10(Σw² / Σ(w − ŵ)²) in dB; null where nothing differs (infinite). */
export function sqnrDb(sums: Pick<QuantizationStatistics, "sumSquares" | "sumSquaredError">): number | null {
  return sums.sumSquaredError === 0 ? null : 10 * Math.log10(sums.sumSquares / sums.sumSquaredError);
}

/** A variant's figures, pooled over all its quantized weights: sums are added, never averages. */
export interface PooledStatistics extends QuantizationStatistics {
  readonly sqnrDb: number | null;
  readonly meanSquaredError: number;
  readonly bitsPerWeight: number;
}

/** Pools tensors. With none, every sum is 0 and the ratios are 0 or null. */
export function poolStatistics(tensors: Iterable<QuantizationStatistics>): PooledStatistics {
  const pooled = {
    weights: 0,
    sumSquares: 0,
    sumSquaredError: 0,
    maxAbsError: 0,
    clipped: 0,
    restored: 0,
    storedBits: 0,
  };
  for (const tensor of tensors) {
    pooled.weights += tensor.weights;
    pooled.sumSquares += tensor.sumSquares;
    pooled.sumSquaredError += tensor.sumSquaredError;
    pooled.maxAbsError = Math.max(pooled.maxAbsError, tensor.maxAbsError);
    pooled.clipped += tensor.clipped;
    pooled.restored += tensor.restored;
    pooled.storedBits += tensor.storedBits;
  }
  const weights = Math.max(pooled.weights, 1);
  return {
    ...pooled,
    sqnrDb: sqnrDb(pooled),
    meanSquaredError: pooled.sumSquaredError / weights,
    bitsPerWeight: pooled.storedBits / weights,
  };
}

/** One tensor's statistics as they stand in a result. */
export function toTensorError(plan: TensorPlan, statistics: QuantizationStatistics): TensorError {
  return {
    name: plan.name,
    layer: plan.layer,
    bits: plan.bits,
    sqnrDb: sqnrDb(statistics),
    meanSquaredError: statistics.sumSquaredError / statistics.weights,
    maxAbsError: statistics.maxAbsError,
    clipped: statistics.clipped,
    restored: statistics.restored,
    weights: statistics.weights,
    bitsPerWeight: bitsPerWeight(plan),
  };
}
