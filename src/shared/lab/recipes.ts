import type { Coordinate, RangeRule, RecipeInput } from "../recipe.ts";

/** A recipe of an experiment, with a name that is a file's too. */
export interface NamedRecipe {
  readonly name: string;
  readonly recipe: RecipeInput;
}

/**
 * Round-to-nearest as the paper quantizes, and with a clip the paper's arm: other outliers clipped, the super weights put back exactly.
 * They stand by their coordinates, so that the recipe says all by itself.
 */
export function roundingRecipe(
  { bits, granularity, range }: { bits: number; granularity: string; range: RangeRule | null },
  superWeights: readonly Coordinate[],
): RecipeInput {
  const plain = { scheme: "affine", bits, granularity } as const;
  return range === null ? plain : { ...plain, range, restore: [...superWeights] };
}

/** A name of a recipe as a file's name. */
export function fileWord(text: string): string {
  return text.replaceAll(/[^a-z0-9.]+/g, "-");
}
