import { createHash } from "node:crypto";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { planKey, plansKey } from "#engine/recipe/planKey.ts";
import { createScratch } from "./variantWeights.ts";
import type { Engine, Watch } from "./engine.ts";

/** A variant as its weights are made. */
export interface MadeWeights {
  readonly id: string;
  readonly plans: ReadonlyMap<string, TensorPlan>;
  /** What else its scores depend on; variants of different ones are never the same. */
  readonly beside: string;
  /** Whether weights are changed before they are quantized; then only equal plans are known to make equal weights. */
  readonly smoothed: boolean;
}

/**
 * Groups variants that make the same weights, bit for bit. A tensor is made of every different plan while plans of one group may
 * still agree, those with restored weights first: variants that differ part after the first tensors, and only true twins are made
 * whole. Equal plans ({@link planKey}) are not made at all.
 * @returns groups of two or more, each in the order of `variants`
 * @throws KeystoneError quantize/…, job/cancelled
 */
export async function sameWeights(
  { checkpoint, control }: Pick<Engine, "checkpoint"> & Watch,
  variants: readonly MadeWeights[],
): Promise<string[][]> {
  const scratch = createScratch();
  let groups = split([variants], ({ beside, smoothed, plans }) =>
    JSON.stringify([beside, smoothed ? plansKey(plans) : [...plans.keys()].sort()]),
  );
  for (const name of tensorsOf(variants)) {
    const open = groups.filter((group) => new Set(group.map((one) => keyOf(one, name))).size > 1);
    if (open.length === 0) continue;
    await control?.check();
    const [{ rows, columns }] = open.flatMap((group) => group[0]?.plans.get(name) ?? []);
    const weights = await checkpoint.read(name, scratch.take("read", rows * columns));
    const made = new Map<string, string>();
    for (const { plans } of open.flat()) {
      const plan = plans.get(name);
      if (!plan || made.has(planKey(plan))) continue;
      const out = scratch.take("made", weights.length);
      quantizeDequantize(weights, plan, out);
      made.set(planKey(plan), createHash("sha256").update(out).digest("base64"));
      await control?.check();
    }
    groups = split(groups, (one) => made.get(keyOf(one, name)) ?? keyOf(one, name));
    if (groups.length === 0) break;
  }
  return groups.map((group) => group.map(({ id }) => id));
}

function keyOf({ plans }: MadeWeights, name: string): string {
  const plan = plans.get(name);
  return plan ? planKey(plan) : "";
}

/** Parts groups by a key, and lets go of those that are alone. */
function split(
  groups: readonly (readonly MadeWeights[])[],
  by: (variant: MadeWeights) => string,
): MadeWeights[][] {
  return groups.flatMap((group) => [...Map.groupBy(group, by).values()].filter(({ length }) => length > 1));
}

/** Every quantized tensor, those in which some variant restores weights first, then the smallest. */
function tensorsOf(variants: readonly MadeWeights[]): string[] {
  const tensors = new Map<string, { restores: boolean; weights: number }>();
  for (const { plans } of variants)
    for (const [name, { restore, rows, columns }] of plans) {
      const restores = "largest" in restore || restore.indices.length > 0;
      tensors.set(name, {
        restores: restores || (tensors.get(name)?.restores ?? false),
        weights: rows * columns,
      });
    }
  return [...tensors]
    .sort(([, a], [, b]) => Number(b.restores) - Number(a.restores) || a.weights - b.weights)
    .map(([name]) => name);
}
