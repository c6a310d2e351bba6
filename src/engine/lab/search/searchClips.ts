import type { Clip } from "#shared/recipe.ts";
import type { Budget } from "./budget.ts";
import { bestOf, finer, REFINEMENTS, worthwhile, type Tried } from "./clipsToTry.ts";

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
  first: readonly (Clip | null)[],
  budget: Pick<Budget, "spend" | "spent">,
  measure: (clip: Clip | null) => Promise<number | null>,
): Promise<Searched> {
  const tried: Tried[] = [];
  for (let round = 0; round <= REFINEMENTS; round++) {
    const before = bestOf(tried)?.loss ?? null;
    for (const clip of round === 0 ? first : finer(tried)) {
      if (budget.spent !== null) return { tried, stopped: budget.spent };
      budget.spend();
      tried.push({ clip, loss: await measure(clip) });
    }
    if (round > 0 && !worthwhile(before, bestOf(tried)?.loss ?? null)) break;
  }
  return { tried, stopped: null };
}
