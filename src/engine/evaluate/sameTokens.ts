import type { WindowSet } from "./types.ts";

/** Where two cuts of one text part: the place, counted from 1, and what each has there; undefined = it has ended. */
export interface OtherToken {
  readonly place: number;
  readonly one: number | undefined;
  readonly other: number | undefined;
}

/** The first token that two cuts of one text do not share; null where they feed a model the same. */
export function firstOtherToken(one: WindowSet, other: WindowSet): OtherToken | null {
  const [a, b] = [one, other].map(({ windows }) => windows.flatMap(({ ids }) => [...ids]));
  const differs = a.findIndex((id, i) => id !== b[i]);
  if (differs < 0 && a.length === b.length) return null;
  const at = differs < 0 ? a.length : differs;
  return { place: at + 1, one: a[at], other: b[at] };
}
