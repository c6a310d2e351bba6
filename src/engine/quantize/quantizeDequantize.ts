import { SCHEMES } from "#shared/schemes/index.ts";
import { kernelsFor } from "./passes/configure.ts";
import { assertLength } from "./quantize.ts";
import { roundingPass } from "./passes/roundingPass.ts";
import { scalarPass } from "./passes/scalarPass.ts";
import type { QuantizationStatistics } from "./plan/statistics.ts";
import type { TensorPlan } from "./plan/tensorPlan.ts";
import { vectorPass } from "./passes/vectorPass.ts";

/**
 * ŵ of one tensor in one go, for judging: the bits of `dequantize(quantize(weights, plan))` without packing.
 * Runs on SIMD kernels; the scalar path gives the same bits where there is no SIMD, and the error where something is refused.
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
  const { rounds } = SCHEMES[plan.scheme];
  if (rounds) return roundingPass(weights, plan, rounds, out);
  const vector = kernelsFor(plan);
  return (vector && vectorPass(vector, weights, plan, out)) ?? scalarPass(weights, plan, out);
}
