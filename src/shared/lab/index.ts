import { z } from "zod";
import type { TaskReport } from "../evaluation.ts";
import type { Figure } from "../figures/figure.ts";
import type { Palette } from "../figures/palette.ts";
import { note } from "../notes.ts";
import { labInNewWords } from "../oldWords.ts";
import { activations } from "./activations.ts";
import { blockScaling } from "./blockScaling.ts";
import type { Experiment } from "./experiment.ts";
import { importance } from "./importance.ts";
import { sensitivity } from "./sensitivity.ts";
import { superActivations } from "./superActivations.ts";
import { thresholdSearch } from "./thresholdSearch.ts";
import { tokenProbabilities } from "./tokenProbabilities.ts";

/** The paper's experiments, one file each, in the order in which they are listed; see docs/lab.md for tables and figures. */
const ALL = [
  importance,
  superActivations,
  tokenProbabilities,
  sensitivity,
  blockScaling,
  activations,
  thresholdSearch,
] as const;
const [FIRST, ...OTHERS] = ALL;

export type ExperimentName = (typeof ALL)[number]["name"];
export const experimentName = z.enum(ALL.map(({ name }) => name));

const labAsked = z.discriminatedUnion("experiment", [FIRST.request, ...OTHERS.map(({ request }) => request)]);
/** What an experiment is asked with. */
export const labRequest = z.preprocess(labInNewWords, labAsked);
export type LabRequest = z.output<typeof labRequest>;
export type LabRequestInput = z.input<typeof labAsked>;
export type LabRequestOf<E extends ExperimentName> = Extract<LabRequest, { experiment: E }>;

const labFound = z.discriminatedUnion("experiment", [FIRST.report, ...OTHERS.map(({ report }) => report)]);
/** What an experiment found. */
export const labReport = z.preprocess(labInNewWords, labFound);
export type LabReport = z.infer<typeof labReport>;
export type LabReportOf<E extends ExperimentName> = Extract<LabReport, { experiment: E }>;

/** A kept experiment in a list. */
export const labSummary = z.object({
  id: z.string(),
  experiment: experimentName,
  model: z.string(),
  modelName: z.string(),
  fingerprint: z.string(),
  created: z.string(),
  seconds: z.number(),
  finding: note,
  /** Whether it was cancelled on its way, and holds what was measured until then. */
  cancelled: z.boolean().default(false),
  /** Whether it failed on its way, likewise. */
  failed: z.boolean().default(false),
});
export type LabSummary = z.infer<typeof labSummary>;

/** A kept experiment: what was asked and what came of it. */
export const labResult = z.object({ summary: labSummary, request: labRequest, report: labReport });
export type LabResult = z.infer<typeof labResult>;

/** An experiment, whichever it is; it is given requests and reports of its own alone. */
export type AnyExperiment = Experiment<LabRequest, LabReport>;

/** What is said of each experiment. */
export const EXPERIMENTS = Object.fromEntries(ALL.map((it) => [it.name, it])) as unknown as Readonly<
  Record<ExperimentName, AnyExperiment>
>;

/** In the order of the lab's screen: what is asked first stands first. */
export const CARDS: readonly ExperimentName[] = ALL.toSorted((a, b) => a.card.place - b.card.place).map(
  ({ name }) => name,
);

/** The figures of an experiment's report, the most telling first. */
export function labFigures(report: LabReport, palette: Palette): Figure[] {
  return EXPERIMENTS[report.experiment].figures(report, palette);
}

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
