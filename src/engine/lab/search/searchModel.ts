import type { RangeRule, Recipe } from "#shared/recipe.ts";
import { clipRestoreRecipe, plainRecipe } from "../run/arms.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { bestOf, coarse, REFINEMENTS } from "./rangesToTry.ts";
import { type Judged } from "../run/judging.ts";
import { recipeVariant } from "../run/recipeVariant.ts";
import { searchClips } from "./searchClips.ts";
import { marked, requireCalibration, said, type Found, type SearchBench, type Trial } from "./searchBench.ts";
import { figure } from "../run/words.ts";

/** One clip for all tensors, the one of least KL on the calibration text. */
export async function searchModel(bench: SearchBench): Promise<Found> {
  const { run, grid, budget, onTrials } = bench;
  const { judging } = requireCalibration(bench);
  const first = coarse(run.request.methods, run.request.thresholds);
  const most = Math.min(first.length + 2 * REFINEMENTS, run.request.maxTrials ?? Infinity);
  const recipeOf = (range: RangeRule | null): Recipe =>
    range ? clipRestoreRecipe(run, grid, range) : plainRecipe(grid);
  judging.announce(Array<Variant>(most).fill(recipeVariant(run, "trial", recipeOf(null)).variant));
  await judging.original("original, calibration text");

  const judged = new Map<RangeRule | null, Judged>();
  const trials: Trial[] = [];
  const { tried, stopped } = await searchClips(first, budget, async (range) => {
    const { variant } = recipeVariant(run, "trial", recipeOf(range));
    const found = await judging.variant(variant, `trying ${said(range)}`);
    judged.set(range, found);
    const loss = found.scores.kl?.mean ?? null;
    trials.push({ range, tensor: null, loss, best: false });
    onTrials(marked(trials));
    return loss;
  });
  judging.skip(most - tried.length);

  const range = bestOf(tried)?.range ?? null;
  const loss = judged.get(range)?.scores.kl?.mean;
  return {
    recipe: recipeOf(range),
    trials: marked(trials),
    stopped,
    calibration: judged.get(range) ?? null,
    chosen: `${said(range)} has the least KL on the calibration text (${figure(loss)}, of ${tried.length} tried)`,
    notes: [],
  };
}
