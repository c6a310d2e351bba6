import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Judge } from "#shared/plan.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import { firstOtherToken } from "../windows/sameTokens.ts";
import type { WindowSet } from "../windows/windowSet.ts";
import { cutWindows } from "../windows/windows.ts";
import type { ReadableModel } from "../stream/engine.ts";

/** A text that both were to be judged on: its rows, and how the original cut them. */
export interface SharedText {
  readonly rows: readonly string[];
  readonly judge: Judge;
  readonly windows: WindowSet;
}

/**
 * Whether another checkpoint's predictions can be held against the original's: the same texts give the same tokens, and both models
 * have a row for each of them. Vocabularies may be padded to other lengths.
 * @throws KeystoneError compare/other-vocabulary, compare/other-tokens, usage/context
 */
export async function requireComparable(
  original: ReadableModel,
  other: ReadableModel,
  texts: readonly SharedText[],
): Promise<void> {
  const [name, otherName] = [original, other].map(({ checkpoint }) => modelName(checkpoint.path));
  requireRows(original, other, texts);
  for (const { rows, judge, windows } of texts) {
    const { context } = windows.convention;
    const tokenizer = await other.tokenizer();
    const own = cutWindows(rows, tokenizer, { ...judge, context }, other.architecture.facts.contextLength);
    const differs = firstOtherToken(windows, own);
    if (differs)
      throw new KeystoneError(
        "compare/other-tokens",
        `The tokenizer of ${otherName} cuts the text otherwise than that of ${name}, from token ${differs.place} on: what they predict is not the same.`,
        "Choose a checkpoint with the same tokenizer.",
        { token: differs.place },
      );
  }
}

/** A model without a row for a token of the text can neither read nor predict it. */
function requireRows(original: ReadableModel, other: ReadableModel, texts: readonly SharedText[]): void {
  const [first, second] = [original, other].map(({ architecture }) => architecture.facts.vocabulary);
  const without = texts
    .flatMap(({ windows }) => windows.texts)
    .flatMap((ids) => ids.find((id) => id >= second) ?? []);
  if (without.length === 0) return;
  const [name, otherName] = [original, other].map(({ checkpoint }) => modelName(checkpoint.path));
  throw new KeystoneError(
    "compare/other-vocabulary",
    `${otherName} predicts ${second} tokens and ${name} ${first}; the text holds token ${without[0]}, which ${otherName} does not have.`,
    "Choose a checkpoint with the same tokenizer.",
    { vocabulary: second, expected: first, token: without[0] },
  );
}

/** What is said of a comparison over fewer tokens than a model predicts; null where both predict the same. */
export function vocabularyNote(original: ReadableModel, other: ReadableModel): Note | null {
  const [first, second] = [original, other].map(({ architecture }) => architecture.facts.vocabulary);
  if (first === second) return null;
  const [name, otherName] = [original, other].map(({ checkpoint }) => modelName(checkpoint.path));
  const [a, b, shared] = [first, second, Math.min(first, second)].map((n) => n.toLocaleString("en-US"));
  return {
    code: "compare/other-vocabulary",
    text: `${name} predicts ${a} tokens and ${otherName} ${b}: KL and top-1 agreement are over the ${shared} that both can produce; each perplexity is over the model's own.`,
  };
}
