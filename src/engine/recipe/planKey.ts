import { blockLayout } from "#engine/quantize/plan/blockLayout.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** Rounding of mean, deviation and threshold moves a bound by less than this share. */
const ROUNDING = 1e-6;

/**
 * What of a tensor's plan decides its weights: plans with one key make the same weights of every tensor. Blocks that cut it alike are
 * one (`tensor` and a flat block that is no smaller), a hold-out of nothing is none, and a clip that no weight can pass is none.
 * What calibration measured is not part of it: plans that are compared share their calibration text.
 */
export function planKey(plan: TensorPlan): string {
  const { scheme, bits, symmetric, granularity, method, restore, excludeFromRange, storage, rows, columns } =
    plan;
  const { size, span } = blockLayout(plan);
  const restores = "largest" in restore || restore.indices.length > 0;
  return JSON.stringify({
    ...{ rows, columns, scheme, bits, symmetric, method, storage, size, span },
    tile: granularity.kind === "tile" ? [granularity.rows, granularity.columns] : null,
    range: clipsNothing(plan, size) ? null : plan.range,
    restore,
    excludeFromRange: excludeFromRange && restores,
  });
}

/**
 * Whether a z-score's threshold lies beyond every weight that a block can hold: of n numbers none is further from their mean than
 * (n − 1)/√n of their sample deviations, 5.48 for 32 and 7.88 for 64.
 */
function clipsNothing({ range }: TensorPlan, size: number): boolean {
  if (range?.method !== "zscore") return false;
  return range.threshold >= ((size - 1) / Math.sqrt(size)) * (1 + ROUNDING);
}

/** One key for all tensors of a recipe. */
export function plansKey(plans: ReadonlyMap<string, TensorPlan>): string {
  return [...plans].map(([name, plan]) => `${name} ${planKey(plan)}`).join("\n");
}
