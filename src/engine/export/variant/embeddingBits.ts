import type { Note } from "#shared/notes.ts";
import { isQuantizable } from "#engine/recipe/planTensors.ts";
import { namePattern } from "#engine/recipe/tensorPattern.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Override, Recipe } from "#shared/recipe.ts";
import { bytesText } from "#engine/files/output/diskErrors.ts";
import type { AdaptedRecipe, BytesOf, ExportModel } from "#engine/formats/write/exporter.ts";
import { plansOf } from "#engine/formats/write/keepModules.ts";

/** Weights of a block of 8 bits. */
const GROUP = 32;

/**
 * Gives the embedding and the output head 8 bits where a recipe leaves them as they are: an override of the recipe, so that
 * they are judged as they are written. Those that it quantizes, and those that the source holds in fewer bytes, stay.
 * @param eightBits the override, less its `match`
 * @param bytesOf what the files need
 * @throws KeystoneError recipe/… where the recipe does not fit the model
 */
export function eightBitEmbedding(
  recipe: Recipe,
  model: ExportModel,
  eightBits: Omit<Override, "match">,
  bytesOf: BytesOf,
): Pick<AdaptedRecipe, "recipe" | "changes"> {
  const gains = gainsOf(recipe, model, eightBits, bytesOf);
  const narrow = keptEnds(recipe, model).filter(({ shape }) => shape[1] % GROUP !== 0);
  const tensors = gains.map(({ tensor }) => tensor);
  return {
    recipe: tensors.length === 0 ? recipe : withOverrides(recipe, tensors, eightBits, model),
    changes: [
      ...gains.map(({ tensor, before, after }): Note => ({
        code: "embedding/8-bit",
        text: `${tensor.name} gets 8 bits: ${bytesText(after)} instead of ${bytesText(before)}.`,
      })),
      ...narrow.map(({ name, shape }): Note => ({
        code: "embedding/unquantized",
        text: `${name} stays unquantized: blocks of ${GROUP} do not divide its ${shape[1]} columns.`,
      })),
    ],
  };
}

/** Bytes that {@link eightBitEmbedding} would save. */
export function embeddingSaving(
  recipe: Recipe,
  model: ExportModel,
  eightBits: Omit<Override, "match">,
  bytesOf: BytesOf,
): number {
  const gains = gainsOf(recipe, model, eightBits, bytesOf);
  return gains.reduce((sum, { before, after }) => sum + before - after, 0);
}

interface Gain {
  readonly tensor: TensorInfo;
  /** Bytes in the files as the recipe leaves it, and in 8 bits. */
  readonly before: number;
  readonly after: number;
}

function gainsOf(
  recipe: Recipe,
  model: ExportModel,
  eightBits: Omit<Override, "match">,
  bytesOf: BytesOf,
): Gain[] {
  const fitting = keptEnds(recipe, model).filter(({ shape }) => shape[1] % GROUP === 0);
  const plans = plansOf(withOverrides(recipe, fitting, eightBits, model), model);
  return fitting
    .map((tensor) => ({
      tensor,
      before: bytesOf(tensor, undefined),
      after: bytesOf(tensor, plans.get(tensor.name)),
    }))
    .filter(({ before, after }) => after < before);
}

/** Embedding and head, of those that the recipe leaves as they are. */
function keptEnds(recipe: Recipe, model: ExportModel): TensorInfo[] {
  const plans = plansOf(recipe, model);
  return largeEnds(model).filter(({ name }) => !plans.has(name));
}

/** The embedding and the output head, one tensor where they are tied. */
export function largeEnds({ architecture, checkpoint }: ExportModel): TensorInfo[] {
  const names = new Set([architecture.embedTensor, architecture.headTensor]);
  return [...names].flatMap((name) => checkpoint.tensors.get(name) ?? []).filter(isQuantizable);
}

/** `ignore` wins over overrides, so that a pattern in it that names such a tensor gives way to the other tensors that it names. */
function withOverrides(
  recipe: Recipe,
  tensors: readonly TensorInfo[],
  eightBits: Omit<Override, "match">,
  { checkpoint }: ExportModel,
): Recipe {
  const names = new Set(tensors.map(({ name }) => name));
  const others = [...checkpoint.tensors.values()].filter(
    (tensor) => isQuantizable(tensor) && !names.has(tensor.name),
  );
  const ignore = recipe.ignore.flatMap((glob) => {
    const matches = namePattern(glob);
    if (![...names].some(matches)) return [glob];
    return others.map(({ name }) => name).filter(matches);
  });
  const overrides = tensors.map(({ name }): Override => ({ match: name, ...eightBits }));
  return { ...recipe, ignore, overrides: [...overrides, ...recipe.overrides] };
}
