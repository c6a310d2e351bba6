import { fileBitsPerWeight, pooledBitsPerWeight } from "#engine/quantize/bitsPerWeight.ts";
import { planTensors } from "#engine/quantize/planTensors.ts";
import type { Engine, Variant } from "#engine/evaluate/types.ts";
import type { VariantRequest } from "./task.ts";

/** A recipe brought down to a model, ready to be scored, and what it costs in bits. */
export interface PlannedVariant {
  readonly variant: Variant;
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
}

/** @throws KeystoneError recipe/… where the recipe does not fit the model */
export function planVariant(
  { checkpoint, architecture }: Engine,
  { id, recipe, superWeights }: VariantRequest,
): PlannedVariant {
  const tensors = [...checkpoint.tensors.values()];
  const plans = planTensors(recipe, tensors, {
    superWeights,
    downProjection: (layer) => architecture.downProjection(layer),
  }).tensors;
  return {
    variant: { id, plans },
    bitsPerWeight: pooledBitsPerWeight(plans.values()),
    fileBitsPerWeight: fileBitsPerWeight(tensors, plans),
  };
}
