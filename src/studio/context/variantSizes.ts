import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { variantFileBits } from "#engine/export/variant/variantSize.ts";
import { planTensors } from "#engine/recipe/planTensors.ts";
import { type Recipe, coordinateOf } from "#shared/recipe.ts";
import { variantWeightBytes } from "#shared/variantSize.ts";
import { DEFAULT_DETECTION } from "./launch.ts";
import type { CacheStore } from "../store/cacheStore.ts";
import { withCheckpoint } from "./summarizeModel.ts";

export interface VariantSize {
  readonly weightBytes: number;
  readonly fileBitsPerWeight: number;
}

/**
 * What recipes make of a checkpoint's weights, in bytes; super weights count as far as they are known.
 * @throws KeystoneError recipe/… where one does not fit the model, architecture/… where it cannot be run
 */
export async function variantSizes(
  path: string,
  recipes: readonly Recipe[],
  kept: Pick<CacheStore, "detection">,
): Promise<VariantSize[]> {
  return withCheckpoint(path, (checkpoint) => {
    const architecture = architectureOf(checkpoint);
    const found = kept.detection(checkpoint.revision, DEFAULT_DETECTION)?.superWeights ?? [];
    const superWeights = found.map(coordinateOf);
    const tensors = [...checkpoint.tensors.values()];
    const parameters = tensors.reduce((sum, tensor) => sum + tensor.parameters, 0);
    return recipes.map((recipe) => {
      const { tensors: plans } = planTensors(recipe, tensors, {
        superWeights,
        decoder: () => architecture.description,
        downProjection: (layer, expert) => architecture.downProjection(layer, expert),
      });
      const fileBitsPerWeight = variantFileBits({ checkpoint, architecture, superWeights }, recipe, plans);
      return { fileBitsPerWeight, weightBytes: variantWeightBytes({ fileBitsPerWeight }, parameters) ?? 0 };
    });
  });
}
