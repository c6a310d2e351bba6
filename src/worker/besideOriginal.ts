import { KeystoneError } from "#shared/errors.ts";
import type { Judge } from "#shared/plan.ts";
import { modelName } from "#engine/checkpoint/summarizeModel.ts";
import { firstOtherToken } from "#engine/evaluate/sameTokens.ts";
import type { WindowSet } from "#engine/evaluate/types.ts";
import { cutWindows } from "#engine/evaluate/windows.ts";
import type { OpenModel } from "./openModel.ts";

/** A text that both were to be judged on: its documents, and how the original cut them. */
export interface SharedText {
  readonly documents: readonly string[];
  readonly judge: Judge;
  readonly windows: WindowSet;
}

/**
 * Whether another checkpoint's predictions can be held against the original's: one vocabulary, and the same tokens of
 * the same texts.
 * @throws KeystoneError compare/other-vocabulary, compare/other-tokens, usage/context
 */
export async function requireComparable(
  original: OpenModel,
  other: OpenModel,
  texts: readonly SharedText[],
): Promise<void> {
  const [first, second] = [original, other].map(({ architecture }) => architecture.facts);
  const [name, otherName] = [original, other].map(({ checkpoint }) => modelName(checkpoint.path));
  if (first.vocabulary !== second.vocabulary)
    throw new KeystoneError(
      "compare/other-vocabulary",
      `${otherName} predicts ${second.vocabulary} tokens and ${name} ${first.vocabulary}: their predictions cannot be held against each other.`,
      "Choose a checkpoint of the same model.",
      { vocabulary: second.vocabulary, expected: first.vocabulary },
    );
  for (const { documents, judge, windows } of texts) {
    const { context } = windows.convention;
    const tokenizer = await other.tokenizer();
    const own = cutWindows(documents, tokenizer, { ...judge, context }, second.contextLength);
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
