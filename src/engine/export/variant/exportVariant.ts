import { fileBitsPerWeight } from "#engine/quantize/plan/bitsPerWeight.ts";
import { planRecipe, type PlannedModel } from "#engine/recipe/planRecipe.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import type { Coordinate, Recipe } from "#shared/recipe.ts";
import type { ExportVariant } from "#engine/formats/write/exportedVariant.ts";

/**
 * Brings a recipe down to a checkpoint for export. Weights are rounded to `storage`, or to each tensor's own type where the
 * format says none.
 * @throws KeystoneError recipe/…, checkpoint/unreadable-dtype
 */
export function exportVariant(
  model: PlannedModel,
  recipe: Recipe,
  superWeights: readonly Coordinate[],
  storage?: StorageType,
): ExportVariant {
  const { tensors: plans, notes, bitsPerWeight } = planRecipe(model, recipe, superWeights, storage);
  return {
    recipe,
    recipeId: recipeId(recipe),
    plans,
    notes,
    bitsPerWeight,
    fileBitsPerWeight: fileBitsPerWeight([...model.checkpoint.tensors.values()], plans),
    quantize: (weights, plan, out) => {
      quantizeDequantize(weights, plan, out);
      return out;
    },
    pack: quantize,
  };
}
