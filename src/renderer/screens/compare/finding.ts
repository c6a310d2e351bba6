import { tieClause, type Ranking } from "#shared/ranking.ts";
import type { VariantResult } from "#shared/run.ts";
import { bits, divergence, list } from "../../format.ts";

/**
 * The finding of a comparison: which variant has the lowest KL and whether the text is enough to tell, and which has the lowest
 * perplexity where that is another.
 */
export function comparisonFinding(
  results: readonly VariantResult[],
  ranking: Ranking,
  letterOf: (id: string) => string,
): string {
  const best = results.find(({ id }) => id === ranking.best);
  if (!best) return "";
  const own = `${divergence(best.kl?.mean)} at ${bits(best.bitsPerWeight, "prose")} bits`;
  const distinct = distinctWeights(results);
  const twins = distinct.filter(({ sameAs }) => sameAs === best.id).map(({ id }) => letterOf(id));
  const rivals = distinct.filter(({ sameAs }) => sameAs === undefined).length - 1;
  const same =
    twins.length > 0 ? `; ${list(twins)} ${twins.length === 1 ? "has" : "have"} the same weights` : "";
  const tie = tieClause(ranking, rivals, letterOf);
  const easiest = lowestPerplexity(results);
  const also = easiest && easiest.id !== best.id ? `; ${letterOf(easiest.id)} has the lowest perplexity` : "";
  return `${letterOf(best.id)} has the lowest KL, ${own}${same}${tie ? `; ${tie}` : ""}${also}`;
}

/**
 * The variants in their order, where of those that make the same weights the first stands for the others: the variant that all of them
 * are the same as need not be among those compared.
 */
export function distinctWeights(results: readonly VariantResult[]): VariantResult[] {
  const firsts = new Map<string, string>();
  return results.map((result) => {
    const { sameAs, ...own } = result;
    const first = firsts.get(sameAs ?? result.id);
    if (first !== undefined) return { ...own, sameAs: first };
    firsts.set(sameAs ?? result.id, result.id);
    return own;
  });
}

function lowestPerplexity(results: readonly VariantResult[]): VariantResult | null {
  return results.reduce<VariantResult | null>(
    (lowest, result) =>
      result.perplexity !== null && (lowest?.perplexity == null || result.perplexity < lowest.perplexity)
        ? result
        : lowest,
    null,
  );
}
