import { orderStatistic } from "#engine/numeric/orderStatistic.ts";
import type { TensorPlan } from "./tensorPlan.ts";

/**
 * Flat indices (row-major, ascending) of the weights that a plan puts back. `largest: N` means the N largest |w| of
 * this tensor; of equal ones the earlier index comes first.
 */
export function restoredIndices(weights: Float32Array, plan: TensorPlan): Uint32Array {
  const { restore } = plan;
  return "largest" in restore ? largestIndices(weights, restore.largest) : Uint32Array.from(restore.indices);
}

function largestIndices(weights: Float32Array, wanted: number): Uint32Array {
  const count = Math.min(wanted, weights.length);
  if (count === 0) return new Uint32Array(0);
  const smallest = orderStatistic(weights, 0, weights.length, weights.length - count, true);
  let ties = count;
  for (const weight of weights) if (Math.abs(weight) > smallest) ties--;
  const indices = new Uint32Array(count);
  let found = 0;
  for (let i = 0; i < weights.length && found < count; i++) {
    const magnitude = Math.abs(weights[i]);
    if (magnitude < smallest || (magnitude === smallest && ties-- <= 0)) continue;
    indices[found++] = i;
  }
  return indices;
}
