import type { ComparedVariant, CompareReport } from "#shared/comparison.ts";
import { judge as judgeSchema, type Judge } from "#shared/plan.ts";
import { scoreOriginal, scoreWave } from "../score.ts";
import type { ReadableModel, Watch } from "../stream/engine.ts";
import type { WindowSet } from "../windows/windowSet.ts";
import { cutWindows } from "../windows/windows.ts";
import {
  checkpointColumn,
  originalColumn,
  pairsOf,
  variantColumn,
  type ComparedRecipe,
  type ComparedTexts,
} from "./columns.ts";
import { firstPassage, passageTokens } from "./comparedPassage.ts";

const PASSAGE_JUDGE = judgeSchema.parse({});
/** Original and variants on the text, then on the passage. */
const PASSES = 4;
/** Another checkpoint on both, and its weights. */
const CHECKPOINT_PASSES = 3;

/** How many passes a comparison takes. */
export function comparePasses(checkpoints: number): number {
  return PASSES + CHECKPOINT_PASSES * checkpoints;
}

/** Opens another model for the length of a piece of work. */
export type OpenOther = (
  work: (other: ReadableModel) => Promise<ComparedVariant>,
) => Promise<ComparedVariant>;

export interface CompareRequest {
  readonly model: ReadableModel;
  /** The text's rows, and how they are judged. */
  readonly rows: readonly string[];
  readonly judge: Judge;
  /** Shown token by token; null = the text's beginning. */
  readonly passage: string | null;
  readonly recipes: readonly ComparedRecipe[];
  /** Other checkpoints, opened one after the other. */
  readonly others: readonly OpenOther[];
  /** Of each of {@link comparePasses}. */
  readonly pass: (index: number) => Watch;
}

/**
 * Variants and other checkpoints beside the original: scores, errors by tensor and layer (of variants), and the loss of every token
 * of a passage.
 * @throws KeystoneError compare/…, and what scoring throws
 */
export async function compareModels(
  request: CompareRequest,
): Promise<Pick<CompareReport, "convention" | "passage" | "variants" | "pairs">> {
  const { model, rows, judge, recipes, pass } = request;
  const windows = await cut(model, rows, judge);
  const variants = recipes.map(({ variant }) => variant);
  const original = { trajectory: true, confidence: true };
  const reference = await scoreOriginal({ ...model, windows, ...original, ...pass(0) });
  const scored = await scoreWave({ ...model, windows, reference, variants, confidence: true, ...pass(1) });

  const shown = request.passage ?? firstPassage(rows, judge);
  const passage = await cut(model, [shown], PASSAGE_JUDGE);
  const onPassage = await scoreOriginal({ ...model, windows: passage, ...pass(2) });
  const passageScores = await scoreWave({
    ...{ ...model, windows: passage, reference: onPassage, variants, perToken: true },
    ...pass(3),
  });

  const texts: ComparedTexts = [
    { rows, judge, windows, reference },
    { rows: [shown], judge: PASSAGE_JUDGE, windows: passage, reference: onPassage },
  ];
  const others: ComparedVariant[] = [];
  for (const [i, open] of request.others.entries()) {
    const at = comparePasses(i);
    const watches = [pass(at), pass(at + 1), pass(at + 2)] as const;
    others.push(await open((other) => checkpointColumn(model, other, texts, watches)));
  }
  const columns = [
    originalColumn(model, texts),
    ...recipes.map((one, i) => variantColumn(model, one, [scored[i], passageScores[i]], texts)),
    ...others,
  ];
  return {
    convention: windows.convention,
    passage: passageTokens(passage, await model.tokenizer()),
    variants: columns,
    pairs: pairsOf(columns),
  };
}

async function cut(model: ReadableModel, rows: readonly string[], judge: Judge): Promise<WindowSet> {
  return cutWindows(rows, await model.tokenizer(), judge, model.architecture.facts.contextLength);
}
