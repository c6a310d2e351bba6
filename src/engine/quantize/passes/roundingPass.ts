import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { assertFinite, storageOverflow } from "../plan/overflow.ts";
import { restoredIndices } from "../plan/restoreWeights.ts";
import { ErrorSums, type QuantizationStatistics } from "../plan/statistics.ts";
import { bitsOf, roundToStorage } from "#engine/numeric/halfTypes.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

/**
 * ŵ where a scheme is a type: every weight rounded to it by itself, to nearest, ties to even, then to what the plan stores;
 * restored weights are put back last.
 * @param weights row-major f32; left as they are
 * @param out receives ŵ; must not overlap `weights`
 * @throws KeystoneError quantize/not-finite, quantize/storage-overflow where a weight is past the type's largest
 */
export function roundingPass(
  weights: Float32Array,
  plan: TensorPlan,
  type: StorageType,
  out: Float32Array,
): QuantizationStatistics {
  assertFinite(weights, plan);
  out.set(weights);
  const bits = bitsOf(out);
  for (const each of [type, plan.storage]) roundToStorage(out, bits, 0, out.length, each);
  const restored = restoredIndices(weights, plan);
  for (const index of restored) out[index] = weights[index];
  const sums = new ErrorSums();
  sums.add(weights, out, 0, out.length);
  if (!Number.isFinite(sums.sumSquaredError))
    throw storageOverflow(plan.name, plan.storage === "F16" ? "F16" : type);
  return sums.whole(plan, { clipped: 0, restored: restored.length });
}
