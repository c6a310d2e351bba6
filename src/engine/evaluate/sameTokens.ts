import type { WindowSet } from "./types.ts";

/** Where two cuts of one text first feed a model another token, counted from 1; null where they are the same. */
export function firstOtherToken(one: WindowSet, other: WindowSet): number | null {
  const [a, b] = [one, other].map(({ windows }) => windows.flatMap(({ ids }) => [...ids]));
  const at = a.findIndex((id, i) => id !== b[i]);
  if (at >= 0) return at + 1;
  return a.length === b.length ? null : a.length + 1;
}
