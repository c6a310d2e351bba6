/** A token of a variant's text, and whether it stands in the original's too. */
export interface MarkedToken {
  text: string;
  differs: boolean;
}

/** A variant's text aligned to the original's. */
export interface TokenDiff {
  tokens: MarkedToken[];
  /** How many tokens differ. */
  differing: number;
  /** Index of the first that does; -1 = none. */
  first: number;
}

/** Aligns two token sequences by their longest common subsequence and marks what is not in it. */
export function tokenDiff(original: readonly string[], variant: readonly string[]): TokenDiff {
  const kept = commonTo(original, variant);
  const tokens = variant.map((text, i) => ({ text, differs: !kept.has(i) }));
  const differing = tokens.filter(({ differs }) => differs).length;
  return { tokens, differing, first: tokens.findIndex(({ differs }) => differs) };
}

/** Indices of `b` that belong to the longest common subsequence; of several, the one that matches earliest. */
function commonTo(a: readonly string[], b: readonly string[]): Set<number> {
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const below = length[(i + 1) * width + j] ?? 0;
      const right = length[i * width + j + 1] ?? 0;
      length[i * width + j] =
        a[i] === b[j] ? (length[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(below, right);
    }
  }
  const kept = new Set<number>();
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      kept.add(j);
      i++;
      j++;
    } else if ((length[(i + 1) * width + j] ?? 0) >= (length[i * width + j + 1] ?? 0)) i++;
    else j++;
  }
  return kept;
}
