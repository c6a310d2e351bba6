import type { Checkpoint } from "#engine/checkpoint/types.ts";
import type { KeystoneErrorData } from "#shared/errors.ts";
import type { Recipe } from "#shared/recipe.ts";

/** No format holds what happens to activations. */
export function activationProblems({ activations }: Recipe, subject: string): KeystoneErrorData[] {
  if (!activations) return [];
  return [
    {
      code: "export/activations",
      message: `${subject} holds weights only, but the recipe also quantizes activations to ${activations.bits} bits.`,
      next: "Leave activations out of the recipe: the export then gives what that recipe scores.",
      details: { bits: activations.bits },
    },
  ];
}

/** The settings of a recipe and of each of its overrides, as far as they decide how weights are stored. */
export function recipeSettings(recipe: Recipe): Pick<Recipe, "codec" | "bits" | "symmetric" | "block">[] {
  const others = recipe.overrides.filter(({ skip }) => skip !== true);
  return [recipe, ...others].map((settings) => ({
    codec: settings.codec ?? recipe.codec,
    bits: settings.bits ?? recipe.bits,
    symmetric: settings.symmetric ?? recipe.symmetric,
    block: settings.block ?? recipe.block,
  }));
}

/** A checkpoint that is quantized already has no original weights to export. */
export function sourceProblems({ tensors }: Pick<Checkpoint, "tensors">): KeystoneErrorData[] {
  const packed = [...tensors.values()].find((tensor) => tensor.packed !== undefined);
  if (!packed) return [];
  return [
    {
      code: "export/packed-source",
      message: `This model is quantized already (${packed.name}: ${packed.packed?.codec ?? ""}).`,
      next: "Open the original checkpoint and export from that: quantizing twice loses twice.",
      details: { tensor: packed.name },
    },
  ];
}
