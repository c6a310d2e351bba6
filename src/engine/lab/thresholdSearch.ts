import { KeystoneError } from "#shared/errors.ts";
import type { LabReportOf, LabRequestOf } from "#shared/lab.ts";
import { blockLabel, clipLabel } from "#shared/recipeText.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { WindowSet } from "../evaluate/types.ts";
import { plainRecipe, restoreNotes, type Grid } from "./arms.ts";
import { Budget } from "./budget.ts";
import { Journey } from "./journey.ts";
import { Judging, type Judged } from "./judging.ts";
import { labFacts } from "./labFacts.ts";
import { recipeVariant } from "./recipeVariant.ts";
import { searchModel } from "./searchModel.ts";
import { searchTensors } from "./searchTensors.ts";
import { calibrationWindows, textWindows } from "./texts.ts";
import type { Experiment, LabRun } from "./types.ts";
import { count, exact, figure } from "./words.ts";

export type SearchRun = LabRun<LabRequestOf<"threshold-search">>;
type Report = LabReportOf<"threshold-search">;
export type Trial = Report["trials"][number];
type Result = NonNullable<Report["result"]>;

/** What a search needs beside its run. */
export interface SearchBench {
  readonly run: SearchRun;
  readonly grid: Grid;
  readonly journey: Journey;
  readonly budget: Budget;
  /** Null where the search does without. */
  readonly calibration: { readonly windows: WindowSet; readonly judging: Judging } | null;
  /** Told with every trial so far, the best marked. */
  readonly onTrials: (trials: readonly Trial[]) => void;
}

/** What a search found. */
export interface Found {
  readonly recipe: Recipe;
  readonly trials: readonly Trial[];
  /** Why it ended early, as a clause, or null. */
  readonly stopped: string | null;
  /** What it scores on the calibration text; null where there is none. */
  readonly calibration: Judged | null;
  /** What was chosen, for the finding. */
  readonly chosen: string;
  readonly notes: readonly string[];
}

/**
 * Finds the clip, and its threshold, that suit a model at one block size [arXiv:2411.07191, section 4.2]: one for all tensors by KL
 * on the calibration text, or each tensor its own by its weights' or its output's error. What was chosen there is judged on the
 * other text, beside plain rounding.
 * @throws KeystoneError usage/no-calibration, recipe/block-does-not-divide, text/…, job/cancelled
 */
export const thresholdSearch: Experiment<"threshold-search"> = async (run) => {
  const begin = performance.now();
  const { request } = run;
  const { bits, block, scope } = request;
  const plain = recipeVariant(run, "plain", plainRecipe({ bits, block }));
  const windows = await textWindows(run);
  const dataFree = scope === "tensor" && request.by === "weight-error";
  const calibration = dataFree && request.calibration === null ? null : await calibrationWindows(run);
  const journey = new Journey(run);
  const text = new Judging(run, journey, "text", windows);
  text.announce(2);
  const notes = [...restoreNotes(run), ...(calibration?.notes ?? []), ...plain.notes];

  const report = (known: Partial<Report> & Pick<Report, "trials" | "finding">): Report => ({
    experiment: "threshold-search",
    ...labFacts(run, windows.convention, begin),
    complete: false,
    notes,
    bits,
    block,
    scope,
    by: scope === "tensor" ? request.by : null,
    stopped: null,
    recipe: null,
    result: null,
    ...known,
  });
  const tell = (trials: readonly Trial[]): void =>
    run.onReport?.(report({ trials: [...trials], finding: `${count(trials.length)} candidates are tried.` }));

  const search = scope === "model" ? searchModel : searchTensors;
  const found = await search({
    run,
    grid: { bits, block },
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
  return report({
    complete: true,
    trials: [...found.trials],
    finding: findingOf({ bits, block }, found, result),
    notes: [...notes, ...found.notes],
    stopped: found.stopped && `The search ended ${found.stopped}.`,
    recipe: found.recipe,
    result,
  });
};

function findingOf({ bits, block }: Grid, found: Found, { test, plain, original }: Result): string {
  const [now, before] = [test.kl?.mean ?? Infinity, plain.kl?.mean ?? Infinity];
  const where = `At INT${bits}, ${blockLabel(block)}, ${found.chosen}`;
  const perplexities = `perplexity ${exact(plain.perplexity)} to ${exact(test.perplexity)}, original ${exact(original.perplexity)}`;
  if (now === before) return `${where}: nothing is gained on plain rounding (KL ${figure(before)}).`;
  const better = now < before ? "takes" : "worsens";
  return `${where}; judged on the other text it ${better} KL from ${figure(before)} to ${figure(now)} (${perplexities}).`;
}

/** @throws KeystoneError usage/no-calibration */
export function requireCalibration({ calibration }: SearchBench): NonNullable<SearchBench["calibration"]> {
  if (calibration) return calibration;
  throw new KeystoneError(
    "usage/no-calibration",
    "This search chooses on a calibration text, and none was named.",
    "Name a calibration text, or search by the weights' error, which needs none.",
  );
}

/** A clip as the finding says it. */
export function said(clip: Parameters<typeof clipLabel>[0]): string {
  return clip ? clipLabel(clip) : "no clip";
}
