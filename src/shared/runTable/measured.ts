import { canonicalJson } from "../canonicalJson.ts";
import { USUAL_JOIN } from "../plan.ts";
import type { RunDetail } from "../run.ts";

/** On what, and how, a run's figures were measured: only figures measured alike say anything beside one another. */
export interface Measured {
  /** Equal for runs that were measured alike. */
  readonly key: string;
  /** Name of the text's file, without its folder. */
  readonly text: string;
  readonly textHash: string | null;
  /** How the text was cut and counted, in one sentence; null while nothing is scored. */
  readonly convention: string | null;
}

type MeasuredRun = Pick<RunDetail, "text" | "textHash" | "judge" | "convention" | "baseline"> & {
  summary: { id: string };
};

/**
 * What a run was measured on. The text counts by its bytes, the convention by what came of it on this text with this tokenizer:
 * the same judge cuts another tokenizer's tokens elsewhere, and then scores others.
 */
export function measuredOn({ summary, text, textHash, judge, convention, baseline }: MeasuredRun): Measured {
  const cut = convention && [
    ...[convention.windows, convention.context, convention.stride, convention.bos],
    // Before it was a choice, rows were joined as the convention's authors do.
    convention.join ?? USUAL_JOIN[convention.windows],
    ...[convention.documents, convention.windowCount, baseline?.tokens ?? null],
  ];
  return {
    // A text whose bytes are not on record is no other run's.
    key: canonicalJson([textHash ?? `of run ${summary.id}`, cut ?? judge]),
    text: text.split(/[\\/]/).pop() ?? text,
    textHash: textHash ?? null,
    convention: convention?.text ?? null,
  };
}

/** Characters of a hash that tell texts apart for people. */
const HASH_LENGTH = 8;

/** `wikitext2-test.txt (SHA-256 1f2e3d4c…): 5 documents cut into 5 windows …`. */
export function measuredSentence({ text, textHash, convention }: Measured): string {
  const hash = textHash === null ? "" : ` (SHA-256 ${textHash.slice(0, HASH_LENGTH)}…)`;
  return `${text}${hash}: ${convention ?? "nothing scored yet"}`;
}
