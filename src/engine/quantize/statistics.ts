import type { TensorError } from "#shared/evaluation.ts";
import { bitsPerWeight } from "./bitsPerWeight.ts";
import type { TensorPlan } from "./types.ts";

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

/** Running sums of ŵ against w. Each has two lanes, even and odd, because one chain of f64 additions is what limits the speed. */
export class ErrorSums {
  sumSquares = 0;
  sumSquaredError = 0;
  maxAbsError = 0;

  /** Adds the weights of [from, to). */
  add(weights: Float32Array, restored: Float32Array, from: number, to: number): void {
    let [squares, oddSquares, errors, oddErrors, largest] = [0, 0, 0, 0, this.maxAbsError];
    const paired = to - ((to - from) % 2);
    for (let i = from; i < paired; i += 2) {
      const weight = weights[i];
      const oddWeight = weights[i + 1];
      const error = weight - restored[i];
      const oddError = oddWeight - restored[i + 1];
      squares += weight * weight;
      oddSquares += oddWeight * oddWeight;
      errors += error * error;
      oddErrors += oddError * oddError;
      const magnitude = Math.abs(error);
      const oddMagnitude = Math.abs(oddError);
      if (magnitude > largest) largest = magnitude;
      if (oddMagnitude > largest) largest = oddMagnitude;
    }
    if (paired < to) {
      const error = weights[paired] - restored[paired];
      squares += weights[paired] * weights[paired];
      errors += error * error;
      largest = Math.max(largest, Math.abs(error));
    }
    this.sumSquares += squares + oddSquares;
    this.sumSquaredError += errors + oddErrors;
    this.maxAbsError = largest;
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
