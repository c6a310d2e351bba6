import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { LabReportOf, LabRequestOf } from "#shared/lab/index.ts";
import type { RangeRule, Recipe } from "#shared/recipe.ts";
import { rangeLabel } from "#shared/recipeText.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { Grid } from "../run/arms.ts";
import type { Budget } from "./budget.ts";
import { bestOf } from "./rangesToTry.ts";
import type { Journey } from "../run/journey.ts";
import type { Judged, Judging } from "../run/judging.ts";
import type { LabRun } from "../run/experiment.ts";

export type SearchRun = LabRun<LabRequestOf<"threshold-search">>;
export type Trial = LabReportOf<"threshold-search">["trials"][number];

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
  readonly notes: readonly Note[];
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
export function said(range: RangeRule | null): string {
  return range ? rangeLabel(range) : "no clipping";
}

/** The trials with the best of them marked, tensor by tensor; nothing is marked where no loss is finite. */
export function marked(trials: readonly Trial[]): Trial[] {
  const best = new Set([...Map.groupBy(trials, ({ tensor }) => tensor).values()].map((own) => bestOf(own)));
  return trials.map((trial) => ({ ...trial, best: best.has(trial) }));
}
