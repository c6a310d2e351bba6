import type { TaskReport } from "../evaluation.ts";
import type { ExperimentName, LabReport, LabReportOf, LabRequest, LabRequestOf } from "../lab.ts";
import { activations } from "./activations.ts";
import { blockScaling } from "./blockScaling.ts";
import type { Experiment } from "./experiment.ts";
import { importance } from "./importance.ts";
import { sensitivity } from "./sensitivity.ts";
import { superActivations } from "./superActivations.ts";
import { thresholdSearch } from "./thresholdSearch.ts";
import { tokenProbabilities } from "./tokenProbabilities.ts";

/** One file each; one that is missing does not compile. */
const ALL: { readonly [E in ExperimentName]: Experiment<LabRequestOf<E>, LabReportOf<E>> } = {
  importance,
  "super-activations": superActivations,
  "token-probabilities": tokenProbabilities,
  sensitivity,
  "block-scaling": blockScaling,
  activations,
  "threshold-search": thresholdSearch,
};

/** An experiment, whichever it is; it is given requests and reports of its own alone. */
export type AnyExperiment = Experiment<LabRequest, LabReport>;

/** What is said of each experiment. */
export const EXPERIMENTS: Readonly<Record<ExperimentName, AnyExperiment>> = ALL;

/** In the order of the lab's screen: what is asked first stands first. */
export const CARDS: readonly ExperimentName[] = (Object.keys(ALL) as ExperimentName[]).toSorted(
  (a, b) => EXPERIMENTS[a].card.place - EXPERIMENTS[b].card.place,
);

/** What the original answered in an experiment; which items were cut or left out is the same for all its rows. */
export function originalTasks(report: LabReport): readonly TaskReport[] {
  return EXPERIMENTS[report.experiment].originalTasks(report);
}

/** What every state of the model was scored on, in tokens; null where an experiment scores no text, or nothing yet. */
export function scoredTokens(report: LabReport): number | null {
  return EXPERIMENTS[report.experiment].scoredTokens(report);
}

/** The grain of an experiment, e.g. `all found weights together`; with one weight, or none, there is nothing to tell apart. */
export function grainWords(experiment: ExperimentName, superWeights: number): string {
  if (superWeights === 0) return "no super weight";
  return superWeights === 1 ? "the one found weight" : EXPERIMENTS[experiment].grain;
}
