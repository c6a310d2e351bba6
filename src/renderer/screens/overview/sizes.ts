import type { ModelSummary } from "#shared/model.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { modelWeightBytes, variantWeightBytes } from "#shared/variantSize.ts";

/** More variants than this are not sized one by one: they differ by little. */
const MOST_VARIANTS = 32;

/** The original and the variants that were scored, closest first, each with the bytes of its weights. */
export function sizesOf(
  model: Pick<ModelSummary, "tensors" | "parameters">,
  results: readonly VariantResult[],
): { name: string; weightBytes: number }[] {
  const variants = results
    .filter(({ status }) => status === "done")
    .sort((a, b) => (a.kl?.mean ?? Infinity) - (b.kl?.mean ?? Infinity))
    .flatMap((result) => {
      const weightBytes = variantWeightBytes(result, model.parameters);
      return weightBytes === null ? [] : [{ name: recipeLabel(result.recipe), weightBytes }];
    });
  const named = new Map(variants.map((variant) => [variant.name, variant]));
  return [
    { name: "Original", weightBytes: modelWeightBytes(model) },
    ...[...named.values()].slice(0, MOST_VARIANTS),
  ];
}
