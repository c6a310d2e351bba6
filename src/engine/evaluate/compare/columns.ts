import { pairedDifference } from "#shared/bootstrap.ts";
import type { ComparedPair, ComparedVariant } from "#shared/comparison.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { variantWeightBytes } from "#shared/variantSize.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import { checkpointSqnr } from "../checkpointSqnr.ts";
import { scoreCheckpoint } from "../scoreCheckpoint.ts";
import type { ReadableModel, Watch } from "../stream/engine.ts";
import type { OriginalReference, VariantScore } from "../stream/scoring.ts";
import type { Variant } from "../stream/variant.ts";
import { passageNll } from "./comparedPassage.ts";
import { requireComparable, vocabularyNote, type SharedText } from "./requireComparable.ts";

/** A text that everything is judged on, and the original on it. */
export interface ComparedText extends SharedText {
  readonly reference: OriginalReference;
}
/** The text, and the passage that is shown token by token. */
export type ComparedTexts = readonly [ComparedText, ComparedText];

/** A recipe brought down to the model, and what it costs in bits. */
export interface ComparedRecipe {
  readonly recipe: Recipe;
  readonly variant: Variant;
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
}

export function originalColumn(model: ReadableModel, [text, passage]: ComparedTexts): ComparedVariant {
  const { weights, bytes } = sizeOf(model);
  return {
    id: null,
    recipe: null,
    checkpoint: null,
    label: "original",
    notes: [],
    scores: text.reference.scores,
    bitsPerWeight: null,
    fileBitsPerWeight: (8 * bytes) / weights,
    bytes,
    sqnrDb: null,
    tensors: [],
    layers: [],
    passageNll: passageNll(passage.windows, passage.reference.nll),
  };
}

/** @throws KeystoneError what kept the variant from being scored */
export function variantColumn(
  model: ReadableModel,
  { recipe, variant, bitsPerWeight, fileBitsPerWeight }: ComparedRecipe,
  [onText, onPassage]: readonly [VariantScore | undefined, VariantScore | undefined],
  [, passage]: ComparedTexts,
): ComparedVariant {
  const score = scoredOf(onText);
  return {
    id: variant.id,
    recipe,
    checkpoint: null,
    label: recipeLabel(recipe),
    notes: [],
    scores: score.scores,
    bitsPerWeight,
    fileBitsPerWeight,
    bytes: variantWeightBytes({ fileBitsPerWeight }, sizeOf(model).weights) ?? 0,
    sqnrDb: score.sqnrDb,
    tensors: [...score.tensors],
    layers: [...score.layers],
    passageNll: passageNll(passage.windows, scoredOf(onPassage).perToken?.nll ?? new Float32Array()),
  };
}

/**
 * @param watches of the text, the passage and the weights
 * @throws KeystoneError compare/other-vocabulary, compare/other-tokens, checkpoint/not-finite
 */
export async function checkpointColumn(
  original: ReadableModel,
  other: ReadableModel,
  texts: ComparedTexts,
  watches: readonly [Watch, Watch, Watch],
): Promise<ComparedVariant> {
  await requireComparable(original, other, texts);
  const [text, passage] = texts;
  const { scores } = await scoreCheckpoint({ ...other, original, ...text, confidence: true, ...watches[0] });
  const onPassage = await scoreCheckpoint({ ...other, original, ...passage, ...watches[1] });
  const { checkpoint } = other;
  const distance = await checkpointSqnr({ original: original.checkpoint, other: checkpoint, ...watches[2] });
  const { weights, bytes } = sizeOf(other);
  return {
    id: checkpoint.fingerprint,
    recipe: null,
    checkpoint: { path: checkpoint.path, packing: checkpoint.packing ?? null, weights: distance.weights },
    label: modelName(checkpoint.path),
    notes: [vocabularyNote(original, other) ?? []].flat(),
    scores,
    bitsPerWeight: packedBitsPerWeight([...checkpoint.tensors.values()]),
    fileBitsPerWeight: (8 * bytes) / weights,
    bytes,
    sqnrDb: distance.sqnrDb,
    tensors: [],
    layers: [],
    passageNll: passageNll(passage.windows, onPassage.nll),
  };
}

/** Every two columns, compared block by block. */
export function pairsOf(columns: readonly ComparedVariant[]): ComparedPair[] {
  return columns.flatMap(({ scores: second }, j) =>
    columns.slice(0, j).map(({ scores: first }, i): ComparedPair => ({
      variants: [i, j],
      nll: pairedDifference(first.confidence, second.confidence, "nll"),
      kl: pairedDifference(first.confidence, second.confidence, "kl"),
    })),
  );
}

/** Over the tensors that a file holds as codes; null where it holds none. */
function packedBitsPerWeight(tensors: readonly TensorInfo[]): number | null {
  const packed = tensors.flatMap(({ packed, parameters }) =>
    packed ? [{ parameters, bits: packed.bitsPerWeight * parameters }] : [],
  );
  const weights = packed.reduce((total, { parameters }) => total + parameters, 0);
  return weights === 0 ? null : packed.reduce((total, { bits }) => total + bits, 0) / weights;
}

/** A variant whose weights could be made. @throws its error otherwise */
function scoredOf(
  score: VariantScore | undefined,
): VariantScore & { scores: NonNullable<VariantScore["scores"]> } {
  if (score?.scores) return { ...score, scores: score.scores };
  throw KeystoneError.fromData(
    score?.error ?? {
      code: "score/none",
      message: "The variant was not scored.",
      next: "Compare again.",
      details: {},
    },
  );
}

function sizeOf({ checkpoint }: ReadableModel): { weights: number; bytes: number } {
  const tensors = [...checkpoint.tensors.values()];
  return {
    weights: tensors.reduce((total, { parameters }) => total + parameters, 0),
    bytes: tensors.reduce((total, { bytes }) => total + bytes, 0),
  };
}
