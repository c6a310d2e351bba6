import { describeDecoder, familyNameOf } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { KeystoneErrorData } from "#shared/errors.ts";
import type { Exporter } from "./exporter.ts";
import { inheritedSymmetric, type Recipe } from "#shared/recipe.ts";

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

/** What transformers, whose classes a folder of safetensors names, leaves out of a model. */
export function transformersProblems({ config }: Pick<Checkpoint, "config">): KeystoneErrorData[] {
  // of a model that is only looked at, nothing is known to be missing
  if (familyNameOf(config) === null) return [];
  const decoder = describeDecoder(config);
  if (!decoder.unannouncedBiases) return [];
  return [
    {
      code: "export/unannounced-biases",
      message: `This model has biases, and transformers' ${decoder.name} cannot store them: it would leave them out and compute another model.`,
      next: "Export as onnx or, for a model that llama.cpp runs as llama, as gguf.",
      details: { family: decoder.family },
    },
  ];
}

/** A format whose programs compute with equations that the exporter must know. */
export function withEquations(subject: string, exporter: Exporter): Exporter {
  return {
    ...exporter,
    problems: (recipe, on) =>
      on && familyNameOf(on.model.checkpoint.config) === null
        ? [
            {
              code: "export/unknown-family",
              message: `${subject} needs a model's equations, and those of this one are not known.`,
              next: "Export as safetensors or compressed-tensors, which hold it tensor by tensor.",
              details: {},
            },
          ]
        : exporter.problems(recipe, on),
  };
}

/** The settings of a recipe and of each of its overrides, as far as they decide how weights are stored. */
export function recipeSettings(
  recipe: Recipe,
): Pick<Recipe, "scheme" | "bits" | "symmetric" | "granularity">[] {
  const others = recipe.overrides.filter(({ skip }) => skip !== true);
  return [recipe, ...others].map((settings) => ({
    scheme: settings.scheme ?? recipe.scheme,
    bits: settings.bits ?? recipe.bits,
    symmetric: settings.symmetric ?? inheritedSymmetric(recipe, settings),
    granularity: settings.granularity ?? recipe.granularity,
  }));
}
