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
