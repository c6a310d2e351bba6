import type { Recipe } from "#shared/recipe.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { pooledBitsPerWeight } from "#engine/quantize/plan/bitsPerWeight.ts";
import { planTensors } from "#engine/recipe/planTensors.ts";
import type { LabRun } from "./experiment.ts";

/** A recipe brought down to the model, ready to be scored. */
export interface RecipeVariant {
  readonly recipe: Recipe;
  readonly variant: Variant;
  readonly bitsPerWeight: number;
  /** What the person should know of how it fits the model. */
  readonly notes: readonly string[];
}

/** @throws KeystoneError recipe/… where the recipe does not fit the model */
export function recipeVariant(run: LabRun, id: string, recipe: Recipe): RecipeVariant {
  const { checkpoint, architecture, superWeights } = run;
  const { tensors, notes } = planTensors(recipe, [...checkpoint.tensors.values()], {
    superWeights,
    downProjection: (layer) => architecture.downProjection(layer),
  });
  return {
    recipe,
    variant: { id, plans: tensors },
    bitsPerWeight: pooledBitsPerWeight(tensors.values()),
    notes,
  };
}
