import { KeystoneError } from "#shared/errors.ts";
import type { Convention } from "#shared/evaluation.ts";
import { leadWithBos } from "#engine/tokenizer/leadWithBos.ts";
import { planBatches, type BatchPlan } from "#engine/evaluate/stream/hiddenStates.ts";
import type { TokenWindow } from "#engine/evaluate/windows/windowSet.ts";
import { count } from "./words.ts";
import type { LabRun } from "./experiment.ts";

/** A prompt as the model sees it. */
export interface Prompt {
  readonly text: string;
  /** With BOS, where the tokenizer puts one. */
  readonly ids: readonly number[];
  /** Whether it was cut to the model's positions. */
  readonly cut: boolean;
  /** Whether the text began with BOS itself, so that none was added. */
  readonly ownBos: boolean;
}

type PromptModel = Pick<LabRun, "tokenizer" | "architecture">;

/**
 * Brings a text to tokens. What does not fit the model's positions is cut: behind where `keep` is "beginning", in front where it
 * is "end".
 * @throws KeystoneError usage/empty-prompt
 */
export function toPrompt(
  { tokenizer, architecture }: PromptModel,
  text: string,
  keep: "beginning" | "end",
  most = Infinity,
): Prompt {
  const { ids, text: whole, own } = leadWithBos(tokenizer, tokenizer.encode(text));
  const lead = ids.slice(0, ids.length - whole.length);
  const room = Math.min(most, architecture.facts.contextLength - lead.length);
  const kept = keep === "beginning" ? whole.slice(0, room) : whole.slice(-room);
  if (kept.length === 0) throw emptyPrompt(text);
  const cut = kept.length < whole.length;
  return { text: cut ? tokenizer.decode(kept) : text, ids: [...lead, ...kept], cut, ownBos: own };
}

/** A paragraph of fewer words is a heading or a caption: what follows in it says little of what a model predicts in text. */
const LEAST_WORDS = 8;

/**
 * So many pieces of the documents: the documents themselves or, where they are too few, their paragraphs, those of a few words only
 * where there are not enough others. Fewer where the text has no more.
 * @param usable which pieces count; all that are not blank, unless given
 */
export function passages(
  documents: readonly string[],
  wanted: number,
  usable: (piece: string) => boolean = (piece) => piece.trim() !== "",
): string[] {
  const whole = documents.filter(usable);
  if (whole.length >= wanted) return whole.slice(0, wanted);
  const pieces = documents.flatMap((document) => document.split(/\n\s*\n/)).filter(usable);
  const paragraphs = pieces.filter((piece) => piece.split(/\s+/).filter(isWord).length >= LEAST_WORDS);
  return (paragraphs.length >= wanted ? paragraphs : pieces).slice(0, wanted);
}

/**
 * Up to the white space before the last word, without it: as a task asks for a last word. Marks that stand alone behind it go with it,
 * as in `the end .`, where what follows the word says nothing of words.
 */
export function withoutLastWord(text: string): string {
  const whole = text.trimEnd();
  let rest = whole;
  while (rest !== "") {
    const before = withoutLastPiece(rest);
    if (isWord(rest.slice(before.length))) return before;
    rest = before;
  }
  return withoutLastPiece(whole);
}

/** Marks alone are none. */
function isWord(piece: string): boolean {
  return /[\p{L}\p{N}]/u.test(piece);
}

/** Up to the last white space, from the end on: a document may be one long piece. */
function withoutLastPiece(text: string): string {
  let begin = text.length;
  while (begin > 0 && /\S/u.test(text[begin - 1])) begin--;
  return text.slice(0, begin).trimEnd();
}

/** The prompts as one pass takes them. @param scored which position of each prompt is scored; none where it is null */
export function promptPlan(prompts: readonly Prompt[], scored: "last" | null): BatchPlan {
  const windows = prompts.map(({ ids }): TokenWindow => {
    const labels = new Int32Array(ids.length).fill(-1);
    if (scored === "last") labels[ids.length - 1] = 0;
    return { document: 0, ids: Int32Array.from(ids), labels, lead: 0 };
  });
  return planBatches({ windows, scored: scored === "last" ? prompts.length : 0 });
}

/** How prompts are run, in the words of a scored text's convention. */
export function promptConvention(
  { tokenizer, architecture }: PromptModel,
  prompts: readonly Pick<Prompt, "ownBos">[],
): Convention {
  const bos = tokenizer.bos !== null;
  const context = architecture.facts.contextLength;
  const own = prompts.filter(({ ownBos }) => ownBos).length;
  const led = bos ? ", each led by BOS" : "";
  const once = own > 0 ? ` (${count(own)} begin${own === 1 ? "s" : ""} with it already: none is added)` : "";
  return {
    windows: "bos",
    context,
    stride: context,
    bos,
    documents: prompts.length,
    windowCount: prompts.length,
    text: `${count(prompts.length)} prompt${prompts.length === 1 ? "" : "s"}${led}${once}, each run once and by itself.`,
  };
}

function emptyPrompt(text: string): KeystoneError {
  return new KeystoneError(
    "usage/empty-prompt",
    `The prompt "${text.slice(0, 60)}" holds no token.`,
    "Write a sentence of a few words.",
    { prompt: text.slice(0, 60) },
  );
}
