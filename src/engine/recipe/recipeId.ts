import { createHash } from "node:crypto";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { recipeInOldWords } from "#shared/oldWords.ts";
import type { Recipe } from "#shared/recipe.ts";

/** A recipe's id: SHA-256 (hex) of its JSON with keys sorted and defaults filled, in the words that ids have been made of from the first. */
export function recipeId(recipe: Recipe): string {
  return createHash("sha256")
    .update(canonicalJson(recipeInOldWords(recipe)))
    .digest("hex");
}
