import { tieClause, type Ranking } from "#shared/ranking.ts";
import type { VariantResult } from "#shared/run.ts";
import { bits, divergence } from "../../format.ts";

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
  const tie = tieClause(ranking, results.length - 1, letterOf);
  const easiest = lowestPerplexity(results);
  const also = easiest && easiest.id !== best.id ? `; ${letterOf(easiest.id)} has the lowest perplexity` : "";
  return `${letterOf(best.id)} has the lowest KL, ${own}${tie ? `; ${tie}` : ""}${also}`;
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
