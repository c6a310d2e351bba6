import type { Note } from "#shared/notes.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import type { LabRun } from "./experiment.ts";

/** A recipe brought down to the model, ready to be scored. */
export interface RecipeVariant {
  readonly recipe: Recipe;
  readonly variant: Variant;
  readonly bitsPerWeight: number;
  /** What the person should know of how it fits the model. */
  readonly notes: readonly Note[];
}

/** @throws KeystoneError recipe/… where the recipe does not fit the model */
export function recipeVariant(run: LabRun, id: string, recipe: Recipe): RecipeVariant {
  const { tensors, notes, bitsPerWeight } = planRecipe(run, recipe, run.superWeights);
  return { recipe, variant: { id, plans: tensors }, bitsPerWeight, notes };
}
