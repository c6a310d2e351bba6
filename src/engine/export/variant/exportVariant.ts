import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { fileBitsPerWeight, pooledBitsPerWeight } from "#engine/quantize/plan/bitsPerWeight.ts";
import { planTensors } from "#engine/recipe/planTensors.ts";
import type { PlanContext } from "#engine/recipe/planContext.ts";
import { quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { ExportVariant } from "#engine/formats/write/exportedVariant.ts";

/**
 * Brings a recipe down to a checkpoint for export. Weights are rounded to `storage`, or to each tensor's own type where the
 * format says none.
 * @throws KeystoneError recipe/…, checkpoint/unreadable-dtype
 */
export function exportVariant(
  checkpoint: Checkpoint,
  recipe: Recipe,
  context: Pick<PlanContext, "superWeights" | "downProjection" | "storage">,
): ExportVariant {
  const tensors = [...checkpoint.tensors.values()];
  const { tensors: plans, notes } = planTensors(recipe, tensors, {
    superWeights: context.superWeights,
    downProjection: (layer) => context.downProjection(layer),
    storage: context.storage,
  });
  return {
    recipe,
    recipeId: recipeId(recipe),
    plans,
    notes,
    bitsPerWeight: pooledBitsPerWeight(plans.values()),
    fileBitsPerWeight: fileBitsPerWeight(tensors, plans),
    quantize: (weights, plan, out) => {
      quantizeDequantize(weights, plan, out);
      return out;
    },
    pack: quantize,
  };
}
