import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { InputStatistics } from "#engine/quantize/plan/tensorPlan.ts";
import { pooledBitsPerWeight } from "#engine/quantize/plan/bitsPerWeight.ts";
import type { Coordinate, Recipe } from "#shared/recipe.ts";
import { planTensors, type TensorPlans } from "./planTensors.ts";

/** What a recipe is brought down to. */
export interface PlannedModel {
  readonly checkpoint: Pick<Checkpoint, "tensors">;
  readonly architecture: Pick<Architecture, "downProjection" | "description">;
  /** What calibration measured of a linear's inputs, by its tensor's name; absent where nothing did. */
  inputs?(tensor: string): InputStatistics | undefined;
}

export interface RecipePlan extends TensorPlans {
  /** Over the tensors that are quantized, constants and restored weights included. */
  readonly bitsPerWeight: number;
}

/**
 * Brings a recipe's weights down to a model, and checks it whole before any weight is read.
 * @param superWeights what `restore: "super-weights"` stands for
 * @param storage rounds every ŵ to this type; absent = each tensor's own, or the half type that the scheme's runtimes make of it
 * @throws KeystoneError recipe/… where it does not fit the model, checkpoint/unreadable-dtype
 */
export function planRecipe(
  model: PlannedModel,
  recipe: Recipe,
  superWeights: readonly Coordinate[],
  storage?: StorageType,
): RecipePlan {
  const plans = planTensors(recipe, [...model.checkpoint.tensors.values()], {
    superWeights,
    decoder: () => model.architecture.description,
    downProjection: (layer, expert) => model.architecture.downProjection(layer, expert),
    inputs: (tensor) => model.inputs?.(tensor),
    storage,
  });
  return { ...plans, bitsPerWeight: pooledBitsPerWeight(plans.tensors.values()) };
}
