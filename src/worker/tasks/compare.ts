import type { ComparedVariant, CompareReport } from "#shared/comparison.ts";
import { KeystoneError } from "#shared/errors.ts";
import { judge as judgeSchema } from "#shared/plan.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { readDocuments } from "#engine/checkpoint/readDocuments.ts";
import type { Tokenizer } from "#engine/checkpoint/types.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { VariantScore, Watch, WindowSet } from "#engine/evaluate/types.ts";
import { cutWindows } from "#engine/evaluate/windows.ts";
import { maximaFor } from "../calibration.ts";
import { openModel, type OpenModel } from "../openModel.ts";
import type { Talk } from "../talk.ts";
import type { TaskFields } from "../task.ts";
import { planVariant } from "../variants.ts";
import { windowsOf } from "../windows.ts";

/** How much of a text's first document is shown token by token where no passage was named. */
const PASSAGE_CHARACTERS = 2_000;
/** Original and variants on the text, then on the passage. */
const PASSES = 4;

/** Variants beside the original: scores, errors by tensor and layer, and the loss of every token of a passage. */
export async function compareTask(fields: TaskFields<"compare">, talk: Talk): Promise<CompareReport> {
  const begin = performance.now();
  const model = await openModel(fields.model);
  const windows = await windowsOf(model, fields.text, fields.judge);
  const first = fields.calibration ? 1 : 0;
  const pass = (index: number): Watch => talk.pass(first + index, first + PASSES);
  const maxima = await maximaFor(model, fields.calibration, talk.pass(0, first + PASSES));
  const planned = fields.variants.map((request) => ({ request, ...planVariant(model, request, maxima) }));
  const variants = planned.map(({ variant }) => variant);

  const reference = await scoreOriginal({ ...model, windows, trajectory: true, ...pass(0) });
  const scored = await scoreWave({
    ...model,
    windows,
    reference,
    variants,
    ...pass(1),
  });

  const passage = await passageWindows(model, fields);
  const passageReference = await scoreOriginal({ ...model, windows: passage, ...pass(2) });
  const onPassage = await scoreWave({
    ...model,
    windows: passage,
    reference: passageReference,
    variants,
    perToken: true,
    ...pass(3),
  });

  const weights = sum(model, (tensor) => tensor.parameters);
  const bytes = sum(model, (tensor) => tensor.bytes);
  const original: ComparedVariant = {
    id: null,
    recipe: null,
    label: "original",
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
      label: recipeLabel(request.recipe),
      scores: score.scores,
      bitsPerWeight,
      fileBitsPerWeight,
      bytes: Math.round((fileBitsPerWeight * weights) / 8),
      sqnrDb: score.sqnrDb,
      tensors: [...score.tensors],
      layers: [...score.layers],
      passageNll: align(passage, scoredOf(onPassage[i]).perToken?.nll ?? new Float32Array()),
    };
  });
  return {
    model: fields.model.path,
    text: fields.text,
    convention: windows.convention,
    passage: passageTokens(passage, await model.tokenizer()),
    variants: [original, ...compared],
    seconds: (performance.now() - begin) / 1000,
  };
}

async function passageWindows(
  model: OpenModel,
  { passage, text }: TaskFields<"compare">,
): Promise<WindowSet> {
  const shown = passage ?? (await readDocuments(text))[0]?.slice(0, PASSAGE_CHARACTERS) ?? "";
  return cutWindows(
    [shown],
    await model.tokenizer(),
    judgeSchema.parse({}),
    model.architecture.facts.contextLength,
  );
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

function sum(model: OpenModel, of: (tensor: { parameters: number; bytes: number }) => number): number {
  return [...model.checkpoint.tensors.values()].reduce((total, tensor) => total + of(tensor), 0);
}
