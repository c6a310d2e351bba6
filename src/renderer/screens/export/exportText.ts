import type { ExportFormat, FormatDescription, KeptModule } from "#shared/exporting.ts";
import { granularityLabel, schemeLabel } from "#shared/recipeText.ts";
import { isRestored, type Recipe } from "#shared/recipe.ts";
import { agreementOf, samePerplexity, type Verified } from "#shared/verification.ts";
import { number } from "#shared/format.ts";

/** What becomes of the super weights in a format, in a few words, and whether each is stored as itself. */
export function superWeightsIn(
  { restored, kept: offered }: FormatDescription,
  restores: boolean,
  kept: KeptModule,
): { state: "in-place" | "not-restored"; title: string; note: string } {
  if (!restores) return { state: "not-restored", title: "Not restored", note: "in this variant" };
  if (restored === "exact")
    return { state: "in-place", title: "Exact", note: "the values themselves are stored" };
  const eight = kept === "8-bit" && offered.includes("8-bit");
  return {
    state: "in-place",
    title: "Per tensor",
    note: eight
      ? "tensors with super weights stay in 8 bits"
      : "tensors with super weights stay in full precision",
  };
}

/** A folder's name for a variant: `demo-model-rtn4-flat-16384-z9-restored`. */
export function folderName(model: string, recipe: Recipe, format: ExportFormat = "safetensors"): string {
  const clip =
    recipe.range === null
      ? ""
      : "threshold" in recipe.range
        ? `${recipe.range.method === "zscore" ? "z" : recipe.range.method}${recipe.range.threshold}`
        : recipe.range.method;
  const arm = isRestored(recipe) ? (recipe.excludeFromRange ? "held-out" : "restored") : "";
  return [
    model,
    schemeLabel(recipe),
    granularityLabel(recipe.granularity),
    clip,
    arm,
    format === "safetensors" ? "" : format,
  ]
    .filter((part) => part !== "")
    .join("-")
    .replaceAll(/[^\w.-]+/g, "-");
}

/**
 * Whether the written files score what was judged, in one sentence.
 * @param scored perplexity of the variant on screen in its run; a format that changes the recipe is judged on its own
 */
export function verifiedSentence(
  verified: Pick<Verified, "perplexity" | "judgedPerplexity">,
  scored: number | null,
): string {
  const { perplexity, judgedPerplexity } = verified;
  const [written, judged, run] = [perplexity, judgedPerplexity, scored].map((value) => number(value, 4));
  switch (agreementOf(verified)) {
    case "other":
      return `Not verified: the exported files score ${written}, but the same weights were evaluated at ${judged}`;
    case "no number":
      return "Not verified: neither the variant nor the exported files give a finite perplexity";
    case "same":
      return samePerplexity(judgedPerplexity, scored)
        ? `The exported files score ${written}, as the variant was evaluated`
        : `The exported files score ${written}, as evaluated in the form that this format stores; the variant itself scored ${run}`;
  }
}
