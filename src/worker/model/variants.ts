import type { Note } from "#shared/notes.ts";
import { planActivations } from "#engine/recipe/planActivations.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import { variantFileBits } from "#engine/export/variant/variantSize.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { VariantRequest } from "../protocol/task.ts";

/** A recipe brought down to a model, ready to be scored, and what it costs in bits. */
export interface PlannedVariant {
  readonly variant: Variant;
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
  /** What the person should know of the recipe on this model. */
  readonly notes: readonly Note[];
}

/**
 * @param maxima of the calibration text; only SmoothQuant needs them
 * @throws KeystoneError recipe/… where the recipe does not fit the model; usage/no-calibration, activations/no-norm-weight
 */
export function planVariant(
  model: Engine,
  { id, recipe, superWeights }: VariantRequest,
  maxima: ActivationMaxima | null = null,
): PlannedVariant {
  const { checkpoint, architecture } = model;
  const { tensors: plans, notes, bitsPerWeight } = planRecipe(model, recipe, superWeights);
  const activations =
    recipe.activations && planActivations(recipe.activations, { architecture, superWeights, maxima });
  return {
    variant: { id, plans, ...(activations ? { activations } : {}) },
    bitsPerWeight,
    fileBitsPerWeight: variantFileBits({ checkpoint, architecture, superWeights }, recipe, plans),
    notes,
  };
}
