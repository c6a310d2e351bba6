import type { Note } from "#shared/notes.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import { onTheWay } from "#shared/lab/reports/unfinished.ts";
import { isDataFree } from "#shared/lab/thresholdSearch.ts";
import { granularityLabel } from "#shared/recipeText.ts";
import { plainRecipe, restoreNotes, type Grid } from "../run/arms.ts";
import { Budget } from "../search/budget.ts";
import { requireThresholds } from "../search/rangesToTry.ts";
import { Journey } from "../run/journey.ts";
import { Judging } from "../run/judging.ts";
import { labFacts } from "../run/labFacts.ts";
import { recipeVariant } from "../run/recipeVariant.ts";
import type { Found, Trial } from "../search/searchBench.ts";
import { searchModel } from "../search/searchModel.ts";
import { searchTensors } from "../search/searchTensors.ts";
import { calibrationWindows, textWindows } from "../run/texts.ts";
import type { Experiment } from "../run/experiment.ts";
import { exact, figure } from "../run/words.ts";

type Report = LabReportOf<"threshold-search">;
type Result = NonNullable<Report["result"]>;

/**
 * Finds the clip, and its threshold, that suit a model at one block size [arXiv:2411.07191, section 4.2]: one for all tensors by KL
 * on the calibration text, or each tensor its own by its weights' or its output's error. What was chosen there is judged on the
 * other text, beside plain rounding.
 * @throws KeystoneError usage/no-calibration, usage/thresholds-do-not-fit, recipe/block-does-not-divide, text/…, job/cancelled
 */
export const thresholdSearch: Experiment<"threshold-search"> = async (run) => {
  const begin = performance.now();
  const { request } = run;
  const { bits, granularity, scope } = request;
  requireThresholds(request.methods, request.thresholds);
  const plain = recipeVariant(run, "plain", plainRecipe({ bits, granularity }));
  const windows = await textWindows(run);
  const dataFree = isDataFree(request);
  const calibration = dataFree && request.calibration === null ? null : await calibrationWindows(run);
  const journey = new Journey(run);
  const text = new Judging(run, journey, "text", windows);
  text.announce([plain.variant, plain.variant]);
  const notes = [...restoreNotes(run), ...(calibration?.notes ?? []), ...plain.notes];

  const report = (known: Partial<Report> & Pick<Report, "trials" | "finding">): Report => ({
    experiment: "threshold-search",
    ...labFacts(run, windows.convention, begin, {
      done: known.trials.length,
      of: null,
      unit: "candidate",
    }),
    complete: false,
    notes,
    bits,
    granularity,
    scope,
    by: scope === "tensor" ? request.by : null,
    stopped: null,
    recipe: null,
    result: null,
    ...known,
  });
  const tell = (trials: readonly Trial[]): void =>
    run.onReport?.(
      report({
        trials: [...trials],
        finding: onTheWay({ done: trials.length, of: null, unit: "candidate" }),
      }),
    );

  const search = scope === "model" ? searchModel : searchTensors;
  const found = await search({
    run,
    grid: { bits, granularity },
    journey,
    budget: new Budget(request.maxTrials, request.maxSeconds),
    calibration: calibration && {
      windows: calibration.windows,
      judging: new Judging(run, journey, "calibration", calibration.windows),
    },
    onTrials: tell,
  });
  tell(found.trials);

  const original = await text.original();
  const { variant, bitsPerWeight } = recipeVariant(run, "found", found.recipe);
  const test = await text.variant(variant, "the recipe found");
  const rounded = await text.variant(plain.variant, "plain rounding");
  const result: Result = {
    calibration: {
      kl: found.calibration?.scores.kl ?? null,
      perplexity: found.calibration?.scores.perplexity ?? null,
    },
    test: test.scores,
    plain: rounded.scores,
    original: original.scores,
    bitsPerWeight,
  };
  const stopped = found.stopped && `The search ended ${found.stopped}.`;
  return report({
    complete: true,
    trials: [...found.trials],
    finding: findingOf({ bits, granularity }, found, result),
    notes: [
      ...(stopped === null ? [] : [{ code: "search/stopped", text: stopped }]),
      ...notes,
      ...found.notes,
    ],
    stopped,
    recipe: found.recipe,
    result,
  });
};

function findingOf({ bits, granularity }: Grid, found: Found, { test, plain, original }: Result): Note {
  const [now, before] = [test.kl?.mean ?? Infinity, plain.kl?.mean ?? Infinity];
  const where = `At INT${bits}, ${granularityLabel(granularity)}, ${found.chosen}`;
  const perplexities = `perplexity ${exact(plain.perplexity)} to ${exact(test.perplexity)}, original ${exact(original.perplexity)}`;
  if (now === before)
    return {
      code: "threshold-search/no-gain",
      text: `${where}: nothing is gained on plain rounding (KL ${figure(before)}).`,
    };
  const better = now < before ? "takes" : "worsens";
  return {
    code: now < before ? "threshold-search/gain" : "threshold-search/loss",
    text: `${where}; judged on the other text it ${better} KL from ${figure(before)} to ${figure(now)} (${perplexities}).`,
  };
}
