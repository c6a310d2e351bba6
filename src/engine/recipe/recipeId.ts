import { createHash } from "node:crypto";
import { canonicalJson } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";

/** A recipe's id: SHA-256 (hex) of its JSON with keys sorted and defaults filled, as parseRecipe returns it. */
export function recipeId(recipe: Recipe): string {
  return createHash("sha256").update(canonicalJson(recipe)).digest("hex");
}
