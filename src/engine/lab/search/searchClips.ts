import type { RangeRule } from "#shared/recipe.ts";
import type { Budget } from "./budget.ts";
import { bestOf, finer, REFINEMENTS, worthwhile, type Tried } from "./rangesToTry.ts";

/** What a search tried, in order. */
export interface Searched {
  readonly tried: readonly Tried[];
  /** Why it ended before everything was tried, as a clause; null where everything was. */
  readonly stopped: string | null;
}

/**
 * Tries clips coarse to fine: first all that are given, then rounds of two around the best, until a round gains next to nothing or
 * the budget is spent.
 * @param measure the loss of one clip
 */
export async function searchClips(
  first: readonly (RangeRule | null)[],
  budget: Pick<Budget, "spend" | "spent">,
  measure: (range: RangeRule | null) => Promise<number | null>,
): Promise<Searched> {
  const tried: Tried[] = [];
  for (let round = 0; round <= REFINEMENTS; round++) {
    const before = bestOf(tried)?.loss ?? null;
    for (const range of round === 0 ? first : finer(tried)) {
      if (budget.spent !== null) return { tried, stopped: budget.spent };
      budget.spend();
      tried.push({ range, loss: await measure(range) });
    }
    if (round > 0 && !worthwhile(before, bestOf(tried)?.loss ?? null)) break;
  }
  return { tried, stopped: null };
}
