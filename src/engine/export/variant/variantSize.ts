import { fileBitsPerWeight, restoredCount } from "#engine/quantize/plan/bitsPerWeight.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { exportFormatOf, ownFormatOf } from "#shared/exportFormats/index.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { parametersOf } from "#engine/formats/write/keepModules.ts";

/** An exact weight and its place, where a format keeps the whole module instead. */
const RESTORED_BYTES = 6;

/**
 * Bits per weight of a variant over all tensors, from shapes alone: as the format of its scheme writes them, so that a run, a
 * comparison and that format's export give one size. Where no format is the scheme's own, or it cannot store the recipe:
 * codes, constants and restored weights, and everything else as the source holds it.
 * @param plans what the recipe makes of the model's tensors
 */
export function variantFileBits(
  model: ExportModel,
  recipe: Recipe,
  plans: ReadonlyMap<string, TensorPlan>,
): number {
  const tensors = [...model.checkpoint.tensors.values()];
  const format = ownFormatOf(recipe.scheme);
  // the format has no activations to store, and so they do not count
  const weightsOnly = { ...recipe, activations: null };
  if (!format || exporters[format].problems(weightsOnly, { model, plans }).length > 0)
    return fileBitsPerWeight(tensors, plans);
  const exporter = exporters[format];
  const carried = exporter.tensors?.(model);
  const weights = parametersOf(tensors.filter(({ name }) => carried?.has(name) ?? true));
  const byModule = exportFormatOf(format).restored === "module";
  const restored = [...plans.values()].reduce((sum, plan) => sum + restoredCount(plan), 0);
  const bytes = exporter.weightBytes(model, plans) + (byModule ? RESTORED_BYTES * restored : 0);
  return weights === 0 ? 0 : (8 * bytes) / weights;
}
