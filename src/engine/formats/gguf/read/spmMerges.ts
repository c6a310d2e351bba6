import { TOKEN_TYPE } from "../layout/tokenTypes.ts";

/**
 * Merges that give SentencePiece's tokens: it joins the pair whose joint token scores highest, so every way to cut a token into
 * two tokens is a merge, the highest score first; of one token's ways the shorter left part first.
 * @param scores of the tokens
 * @param types other than ordinary tokens are never made by joining
 * @returns `left right`, in the order of their priority
 */
export function spmMerges(
  tokens: readonly string[],
  scores: readonly number[],
  types: readonly number[],
): string[] {
  const ordinary = (id: number): boolean => (types[id] ?? TOKEN_TYPE.normal) === TOKEN_TYPE.normal;
  const known = new Set(tokens.filter((_, id) => ordinary(id)));
  const ids = tokens.map((_, id) => id).filter((id) => ordinary(id));
  ids.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return ids.flatMap((id) => waysToCut(tokens[id], known));
}

function waysToCut(token: string, known: ReadonlySet<string>): string[] {
  const characters = Array.from(token);
  const ways: string[] = [];
  for (let cut = 1; cut < characters.length; cut++) {
    const left = characters.slice(0, cut).join("");
    const right = characters.slice(cut).join("");
    if (known.has(left) && known.has(right)) ways.push(`${left} ${right}`);
  }
  return ways;
}
