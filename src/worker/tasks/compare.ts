import { packedBitsPerWeight } from "#engine/checkpoint/packedBits.ts";
import { pairedDifference } from "#shared/bootstrap.ts";
import type { ComparedPair, ComparedVariant, CompareReport } from "#shared/comparison.ts";
import { KeystoneError } from "#shared/errors.ts";
import { judge as judgeSchema, type Judge } from "#shared/plan.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { variantWeightBytes } from "#shared/variantSize.ts";
import { readRows } from "#engine/files/documents/readDocuments.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { checkpointSqnr } from "#engine/evaluate/checkpointSqnr.ts";
import { judgedTexts } from "#engine/evaluate/windows/judgedTexts.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { scoreCheckpoint } from "#engine/evaluate/scoreCheckpoint.ts";
import type { OriginalReference, VariantScore } from "#engine/evaluate/stream/scoring.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { requireComparable, vocabularyNote, type SharedText } from "../besideOriginal.ts";
import { maximaFor } from "../calibration.ts";
import { openModel, withModel, type OpenModel } from "../openModel.ts";
import type { Talk } from "../talk.ts";
import type { TaskFields } from "../task.ts";
import { planVariant } from "../variants.ts";

/** How much of a text's first document is shown token by token where no passage was named. */
const PASSAGE_CHARACTERS = 2_000;
const PASSAGE_JUDGE = judgeSchema.parse({});
/** Original and variants on the text, then on the passage. */
const PASSES = 4;
/** Another checkpoint on both, and its weights. */
const CHECKPOINT_PASSES = 3;

/**
 * Variants and other checkpoints beside the original: scores, errors by tensor and layer (of variants), and the loss of every token
 * of a passage.
 */
export async function compareTask(fields: TaskFields<"compare">, talk: Talk): Promise<CompareReport> {
  const begin = performance.now();
  const model = await openModel(fields.model);
  const rows = await readRows(fields.text);
  const windows = await cut(model, rows, fields.judge);
  const first = fields.calibration ? 1 : 0;
  const passes = first + PASSES + CHECKPOINT_PASSES * fields.checkpoints.length;
  const pass = (index: number): Watch => talk.pass(first + index, passes);
  const maxima = await maximaFor(model, fields.calibration, talk.pass(0, passes));
  const planned = fields.variants.map((request) => ({ request, ...planVariant(model, request, maxima) }));
  const variants = planned.map(({ variant }) => variant);

  const reference = await scoreOriginal({
    ...model,
    windows,
    trajectory: true,
    confidence: true,
    ...pass(0),
  });
  const scored = await scoreWave({
    ...model,
    windows,
    reference,
    variants,
    confidence: true,
    ...pass(1),
  });

  const shown = fields.passage ?? firstPassage(rows, fields.judge);
  const passage = await cut(model, [shown], PASSAGE_JUDGE);
  const passageReference = await scoreOriginal({ ...model, windows: passage, ...pass(2) });
  const onPassage = await scoreWave({
    ...model,
    windows: passage,
    reference: passageReference,
    variants,
    perToken: true,
    ...pass(3),
  });

  const texts: [ComparedText, ComparedText] = [
    { rows, judge: fields.judge, windows, reference },
    { rows: [shown], judge: PASSAGE_JUDGE, windows: passage, reference: passageReference },
  ];
  const others: ComparedVariant[] = [];
  for (const [i, handle] of fields.checkpoints.entries()) {
    const at = PASSES + CHECKPOINT_PASSES * i;
    const watches: [Watch, Watch, Watch] = [pass(at), pass(at + 1), pass(at + 2)];
    others.push(await withModel(handle, (other) => comparedCheckpoint(model, other, texts, watches)));
  }

  const { weights, bytes } = sizeOf(model);
  const original: ComparedVariant = {
    id: null,
    recipe: null,
    checkpoint: null,
    label: "original",
    notes: [],
    scores: reference.scores,
    bitsPerWeight: null,
    fileBitsPerWeight: (8 * bytes) / weights,
    bytes,
    sqnrDb: null,
    tensors: [],
    layers: [],
    passageNll: align(passage, passageReference.nll),
  };
  const compared = planned.map(({ request, bitsPerWeight, fileBitsPerWeight }, i): ComparedVariant => {
    const score = scoredOf(scored[i]);
    return {
      id: request.id,
      recipe: request.recipe,
      checkpoint: null,
      label: recipeLabel(request.recipe),
      notes: [],
      scores: score.scores,
      bitsPerWeight,
      fileBitsPerWeight,
      bytes: variantWeightBytes({ fileBitsPerWeight }, weights) ?? 0,
      sqnrDb: score.sqnrDb,
      tensors: [...score.tensors],
      layers: [...score.layers],
      passageNll: align(passage, scoredOf(onPassage[i]).perToken?.nll ?? new Float32Array()),
    };
  });
  const all = [original, ...compared, ...others];
  return {
    model: fields.model.path,
    text: fields.text,
    convention: windows.convention,
    passage: passageTokens(passage, await model.tokenizer()),
    variants: all,
    pairs: pairsOf(all),
    seconds: (performance.now() - begin) / 1000,
  };
}

/** Every two columns, compared block by block. */
function pairsOf(columns: readonly ComparedVariant[]): ComparedPair[] {
  return columns.flatMap(({ scores: second }, j) =>
    columns.slice(0, j).map(({ scores: first }, i): ComparedPair => ({
      variants: [i, j],
      nll: pairedDifference(first.confidence, second.confidence, "nll"),
      kl: pairedDifference(first.confidence, second.confidence, "kl"),
    })),
  );
}

/** A text that everything is judged on, and the original on it. */
interface ComparedText extends SharedText {
  readonly reference: OriginalReference;
}

/** The column of another checkpoint. @throws KeystoneError compare/other-vocabulary, compare/other-tokens, checkpoint/not-finite */
async function comparedCheckpoint(
  original: OpenModel,
  other: OpenModel,
  texts: readonly [ComparedText, ComparedText],
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
    bitsPerWeight: packedBitsPerWeight(checkpoint.tensors.values()),
    fileBitsPerWeight: (8 * bytes) / weights,
    bytes,
    sqnrDb: distance.sqnrDb,
    tensors: [],
    layers: [],
    passageNll: align(passage.windows, onPassage.nll),
  };
}

/** The beginning of the first document. */
function firstPassage(rows: readonly string[], judge: Judge): string {
  return judgedTexts(rows, judge).texts[0]?.text.slice(0, PASSAGE_CHARACTERS) ?? "";
}

async function cut(model: OpenModel, rows: readonly string[], judge: Judge): Promise<WindowSet> {
  return cutWindows(rows, await model.tokenizer(), judge, model.architecture.facts.contextLength);
}

/** Where each token of the passage stands in its windows: the first of a window without BOS is shown, but not scored. */
function* tokensOf({ windows }: WindowSet): Generator<{ id: number; scored: boolean }> {
  for (const { ids, labels, lead } of windows) {
    if (lead === 0 && ids.length > 0) yield { id: ids[0] ?? 0, scored: false };
    for (const label of labels) if (label >= 0) yield { id: label, scored: true };
  }
}

function passageTokens(windows: WindowSet, tokenizer: Tokenizer): CompareReport["passage"] {
  return [...tokensOf(windows)].map(({ id }) => ({ id, text: tokenizer.tokenText(id) }));
}

/** NLL per token of the passage: null where it was not scored, or is not finite. */
function align(windows: WindowSet, nll: Float32Array): (number | null)[] {
  let next = 0;
  return [...tokensOf(windows)].map(({ scored }) => {
    if (!scored) return null;
    const value = nll[next++] ?? NaN;
    return Number.isFinite(value) ? value : null;
  });
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

function sizeOf({ checkpoint }: OpenModel): { weights: number; bytes: number } {
  const tensors = [...checkpoint.tensors.values()];
  return {
    weights: tensors.reduce((total, { parameters }) => total + parameters, 0),
    bytes: tensors.reduce((total, { bytes }) => total + bytes, 0),
  };
}
