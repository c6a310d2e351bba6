import { METHODS } from "./methods/methods.ts";
import { ErrorSums, type QuantizationStatistics } from "./plan/statistics.ts";
import type { TensorPlan } from "./plan/tensorPlan.ts";
import { assertLength, dequantize, quantize } from "./quantize.ts";

/**
 * ŵ of one tensor in one go, for judging: the bits of `dequantize(quantize(weights, plan))`.
 * @param weights (rows, columns) row-major; left as they are
 * @param out receives ŵ, row-major; the caller's; must not overlap `weights`
 * @returns sums of the error against `weights`
 * @throws KeystoneError quantize/not-finite, quantize/scale-overflow, quantize/range-overflow, quantize/storage-overflow
 */
export function quantizeDequantize(
  weights: Float32Array,
  plan: TensorPlan,
  out: Float32Array,
): QuantizationStatistics {
  assertLength(weights, plan, "The weights");
  assertLength(out, plan, "The result");
  const method = METHODS[plan.method];
  return method.roundTrip ? method.roundTrip(weights, plan, out) : decoded(weights, plan, out);
}

/** The codes decoded, and measured against the weights. */
function decoded(weights: Float32Array, plan: TensorPlan, out: Float32Array): QuantizationStatistics {
  const packed = quantize(weights, plan);
  out.set(dequantize(packed));
  const sums = new ErrorSums();
  sums.add(weights, out, 0, out.length);
  return sums.whole(plan, { clipped: packed.clipped, restored: packed.restored.indices.length });
}
