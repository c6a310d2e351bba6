/** A stretch of a text, and whether the pattern that cuts it matched there. */
export interface Stretch {
  readonly text: string;
  readonly matched: boolean;
}

/** What becomes of the matches of a pattern that cuts a text. */
export type SplitBehavior = "removed" | "isolated" | "mergedwithprevious" | "mergedwithnext" | "contiguous";

/**
 * The stretches of a text, end to end.
 * @param pattern with the flags `g` and `u`
 */
export function stretches(text: string, pattern: RegExp): Stretch[] {
  const found: Stretch[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), matched: false });
    found.push({ text: match[0], matched: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), matched: false });
  return found;
}

/** Joins or drops stretches as the behaviour says; none of the pieces is empty. */
export function pieces(found: readonly Stretch[], behavior: SplitBehavior): string[] {
  return joined(found, behavior).filter((text) => text !== "");
}

function joined(found: readonly Stretch[], behavior: SplitBehavior): string[] {
  switch (behavior) {
    case "isolated":
      return found.map(({ text }) => text);
    case "removed":
      return found.filter(({ matched }) => !matched).map(({ text }) => text);
    case "contiguous":
      return join(found, (last, next) => last.matched === next.matched);
    case "mergedwithprevious":
      return join(found, (last, next) => next.matched && !last.matched);
    case "mergedwithnext":
      return join(found, (last, next) => last.matched && !next.matched);
  }
}

/** Neighbours become one piece where the rule joins them. */
function join(found: readonly Stretch[], together: (last: Stretch, next: Stretch) => boolean): string[] {
  const texts: string[] = [];
  found.forEach((next, i) => {
    const last = found[i - 1];
    if (last !== undefined && together(last, next)) texts[texts.length - 1] += next.text;
    else texts.push(next.text);
  });
  return texts;
}
