import type { CompareReport } from "#shared/comparison.ts";
import type { Judge } from "#shared/plan.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { judgedTexts } from "../windows/judgedTexts.ts";
import type { WindowSet } from "../windows/windowSet.ts";

/** How much of a text's first document is shown token by token where no passage was named. */
const PASSAGE_CHARACTERS = 2_000;

/** The beginning of the first document. */
export function firstPassage(rows: readonly string[], judge: Judge): string {
  return judgedTexts(rows, judge).texts[0]?.text.slice(0, PASSAGE_CHARACTERS) ?? "";
}

/** Where each token of the passage stands in its windows: the first of a window without BOS is shown, but not scored. */
function* tokensOf({ windows }: WindowSet): Generator<{ id: number; scored: boolean }> {
  for (const { ids, labels, lead } of windows) {
    if (lead === 0 && ids.length > 0) yield { id: ids[0] ?? 0, scored: false };
    for (const label of labels) if (label >= 0) yield { id: label, scored: true };
  }
}

export function passageTokens(windows: WindowSet, tokenizer: Tokenizer): CompareReport["passage"] {
  return [...tokensOf(windows)].map(({ id }) => ({ id, text: tokenizer.tokenText(id) }));
}

/** NLL per token of the passage: null where it was not scored, or is not finite. */
export function passageNll(windows: WindowSet, nll: Float32Array): (number | null)[] {
  let next = 0;
  return [...tokensOf(windows)].map(({ scored }) => {
    if (!scored) return null;
    const value = nll[next++] ?? NaN;
    return Number.isFinite(value) ? value : null;
  });
}
