import type { WindowSet } from "./windowSet.ts";

/** Where two tokenizers' ids of one text part: the place, counted from 1, and what each has there; undefined = it has ended. */
export interface OtherToken {
  readonly place: number;
  readonly one: number | undefined;
  readonly other: number | undefined;
}

/** What is compared of a text that was cut. */
export type CutText = Pick<WindowSet, "texts" | "prefix" | "windows">;

/**
 * The first token that two cuts of one text do not share; null where both tokenizers give the text the same ids, and both models are
 * fed the same. The ids are compared whole: a token that is only predicted, or that no window holds, is the text's too.
 */
export function firstOtherToken(one: CutText, other: CutText): OtherToken | null {
  return firstDifference(textIds(one), textIds(other)) ?? firstDifference(fedIds(one), fedIds(other));
}

function textIds({ texts, prefix }: CutText): number[] {
  return texts.flatMap((ids) => (prefix === null ? ids : [prefix, ...ids]));
}

/** Differs where the texts' ids do not only by how long windows are. */
function fedIds({ windows }: CutText): number[] {
  return windows.flatMap(({ ids }) => [...ids]);
}

function firstDifference(a: readonly number[], b: readonly number[]): OtherToken | null {
  const differs = a.findIndex((id, i) => id !== b[i]);
  if (differs < 0 && a.length === b.length) return null;
  const at = differs < 0 ? a.length : differs;
  return { place: at + 1, one: a[at], other: b[at] };
}
