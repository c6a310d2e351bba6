import { canonicalJson } from "#shared/canonicalJson.ts";
import type { Recipe } from "#shared/recipe.ts";
import { granularityLabel, rangeLabel, restoreLabel } from "#shared/recipeText.ts";

/** One field of the recipes in words, a value a variant. */
export interface RecipeField {
  name: string;
  values: string[];
}

const FIELDS: { name: string; value: (recipe: Recipe) => string }[] = [
  { name: "Scheme", value: ({ scheme }) => scheme },
  { name: "Bits", value: ({ bits }) => String(bits) },
  { name: "Symmetric", value: ({ symmetric }) => (symmetric ? "yes" : "no") },
  { name: "Granularity", value: ({ granularity }) => granularityLabel(granularity) },
  { name: "Range", value: ({ range }) => rangeLabel(range) || "off" },
  { name: "Method", value: ({ method }) => method },
  { name: "Super weights", value: (recipe) => restoreLabel(recipe) || "not restored" },
  { name: "Not quantized", value: ({ ignore }) => ignore.join(", ") || "nothing" },
  { name: "Overrides", value: ({ overrides }) => (overrides.length > 0 ? canonicalJson(overrides) : "none") },
  {
    name: "Activations",
    value: ({ activations }) => (activations ? canonicalJson(activations) : "not quantized"),
  },
];

/** The fields in which recipes differ, and in one line what they share. */
export interface RecipeDiff {
  readonly differing: readonly RecipeField[];
  readonly shared: string;
}

export function recipeDiff(recipes: readonly Recipe[]): RecipeDiff {
  const fields = FIELDS.map(({ name, value }) => ({ name, values: recipes.map(value) }));
  const isShared = ({ values }: RecipeField): boolean => values.every((value) => value === values[0]);
  return {
    differing: fields.filter((field) => !isShared(field)),
    shared: fields
      .filter(isShared)
      .map(({ name, values }) => `${name.toLowerCase()} ${values[0] ?? ""}`)
      .join(", "),
  };
}
