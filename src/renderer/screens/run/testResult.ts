import { recipe, type RecipeInput } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";

/** A finished variant for tests; the perplexity and the KL divergence are what most of them are about. */
export function testResult(
  input: Partial<RecipeInput>,
  values: Partial<VariantResult> & { klMean?: number } = {},
): VariantResult {
  const { klMean, ...rest } = values;
  const whole = recipe.parse({ scheme: "affine", bits: 4, granularity: "group:64", ...input });
  return {
    id: recipeLabel(whole),
    index: 0,
    recipe: whole,
    label: recipeLabel(whole),
    status: "done",
    bitsPerWeight: 4.5,
    fileBitsPerWeight: 5,
    perplexity: 12,
    nll: 2.5,
    tokens: 1000,
    kl: { mean: klMean ?? 0.01, median: 0.001, p99: 0.1, max: 1, topAgreement: 0.95 },
    sqnrDb: 20,
    seconds: 3,
    worker: 0,
    startedAt: 0,
    finishedAt: 3000,
    attempts: 1,
    ...rest,
  };
}
