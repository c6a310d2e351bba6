import { SCHEMES } from "#shared/schemes/index.ts";
import type { TensorInfo } from "#shared/model.ts";
import { blockLayout } from "./blockLayout.ts";
import type { TensorPlan } from "./tensorPlan.ts";

/** How many weights of a tensor a plan puts back. */
export function restoredCount(plan: TensorPlan): number {
  const { restore } = plan;
  return "largest" in restore ? Math.min(restore.largest, plan.rows * plan.columns) : restore.indices.length;
}

/** Bits of a quantized tensor: b·N for the codes, the constants of every block, and 16 + max(32, ⌈log2 N⌉) per restored weight. */
export function storedBits(plan: TensorPlan): number {
  const { weights, count } = blockLayout(plan);
  const restoredBits = 16 + Math.max(32, Math.ceil(Math.log2(weights)));
  return (
    plan.bits * weights +
    SCHEMES[plan.scheme].constants(plan.bits, plan.symmetric, plan.storage) * count +
    restoredBits * restoredCount(plan)
  );
}

/** (b·N + constants + restored) / N of one tensor. */
export function bitsPerWeight(plan: TensorPlan): number {
  return storedBits(plan) / (plan.rows * plan.columns);
}

/** The same over all tensors of a variant; 0 where it quantizes none. */
export function pooledBitsPerWeight(plans: Iterable<TensorPlan>): number {
  let bits = 0;
  let weights = 0;
  for (const plan of plans) {
    bits += storedBits(plan);
    weights += plan.rows * plan.columns;
  }
  return weights === 0 ? 0 : bits / weights;
}

/** Average bits per weight over every tensor of the file: quantized ones as planned, the others as they are stored. */
export function fileBitsPerWeight(
  tensors: readonly TensorInfo[],
  plans: ReadonlyMap<string, TensorPlan>,
): number {
  let bits = 0;
  let weights = 0;
  for (const tensor of tensors) {
    const plan = plans.get(tensor.name);
    bits += plan ? storedBits(plan) : tensor.bytes * 8;
    weights += tensor.parameters;
  }
  return weights === 0 ? 0 : bits / weights;
}
