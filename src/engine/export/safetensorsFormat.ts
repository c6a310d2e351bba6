import type { KeystoneErrorData } from "#shared/errors.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { FormatDescription } from "./types.ts";

/** What a dequantized safetensors checkpoint can hold. */
export function describeSafetensors(): FormatDescription {
  return {
    format: "safetensors",
    title: "Safetensors, dequantized",
    summary:
      "A drop-in copy of the checkpoint whose weights carry the recipe's rounding, in the checkpoint's own types. As large as the source.",
    size: "dequantized",
    restored: "exact",
    blocks: "any",
    loadsIn: ["transformers", "vLLM", "llama.cpp's converter", "Keystone"],
    problems: (recipe) => activationProblems(recipe, "A dequantized safetensors file"),
  };
}

function activationProblems({ activations }: Recipe, subject: string): KeystoneErrorData[] {
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
