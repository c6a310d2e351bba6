import { coordinateWords } from "#shared/figures/detectionWords.ts";
import type { Note } from "#shared/notes.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { ExperimentName, LabReport, LabSummary } from "#shared/lab/index.ts";
import { EXPERIMENTS, grainWords, originalTasks, scoredTokens } from "#shared/lab/index.ts";
import { count, duration, estimate, list, plural, rate, sentence } from "#shared/format.ts";
import { leftOut, taskSummary } from "#shared/taskWords.ts";
import { baseName } from "../../texts.ts";

/** `Table 1 of the paper`. */
export function paperPlace(experiment: ExperimentName): string {
  return `${sentence(EXPERIMENTS[experiment].paper)} of the paper`;
}

/** The first part of a finding, for a heading; its card says all of it. */
export function headline(finding: string): string {
  return (finding.split(";")[0] ?? finding).replace(/\.$/, "");
}

/** A finding whose numbers stay on the line of their times sign. */
export function unbroken(finding: string): string {
  return finding.replaceAll(/(?<=×) (?=\d)/g, "\u00a0");
}

/** What a result was measured on: `eval.jsonl, 4,096 tokens in 22 windows of 192 · piqa and arc, at most 200 items each`. */
export function measuredOn(report: LabReport): string {
  const { text, calibration, convention, taskLimit } = report;
  const windows = `${plural(convention.windowCount, "window")} of ${count(convention.context)}`;
  const tokens = scoredTokens(report);
  const tasks = originalTasks(report);
  const most =
    taskLimit === null
      ? "every item"
      : `at most ${plural(taskLimit, "item")}${tasks.length > 1 ? " each" : ""}`;
  return [
    `${baseName(text)}, ${tokens === null ? `${windows} tokens` : `${plural(tokens, "token")} in ${windows}`}`,
    ...(calibration === null ? [] : [`calibrated on ${baseName(calibration)}`]),
    ...(tasks.length === 0 ? [] : [`${list(tasks.map(({ name }) => name))}, ${most}`]),
  ].join(" · ");
}

/** The task files of a result, a line each, and then what was cut or left out of them. */
export function taskLines(report: LabReport): Note[] {
  const tasks = originalTasks(report);
  return [
    ...tasks.map((task) => ({ code: "tasks/summary", text: taskSummary(task) })),
    ...tasks.flatMap(leftOut).map((text) => ({ code: "tasks/left-out", text })),
  ];
}

/** How a result was measured: the paper's place, {@link measuredOn}, the super weights; `12 s on CPU`. */
export function methodOf(report: LabReport): string {
  const { seconds, device, superWeights } = report;
  const where = superWeights.map(coordinateWords);
  return [
    paperPlace(report.experiment),
    measuredOn(report),
    ...(where.length === 0 || where.length > 2 ? [plural(where.length, "super weight")] : [list(where)]),
    ...(where.length > 1 ? [grainWords(report.experiment, where.length)] : []),
    ...(report.complete ? [`${duration(seconds)} on ${device.toUpperCase()}`] : []),
  ].join(" · ");
}

/** What a job is at: `layer 3 of 16 · 271 tok/s · about 11 s left`. */
export function progressWords({ status, progress }: JobView): string {
  if (status === "waiting") return "Queued";
  if (status === "paused") return "Paused";
  if (!progress) return "Starting";
  return [
    progress.phase,
    ...(progress.rate === null ? [] : [rate(progress.rate, unitWord(progress.unit))]),
    ...(progress.secondsLeft === null ? [] : [`${estimate(progress.secondsLeft)} left`]),
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function unitWord(unit: string): string {
  return unit === "tokens" ? "tok" : unit;
}

/** Share of a job that is done, or null while unknown. */
export function fractionOf({ progress }: JobView): number | null {
  return progress && progress.total > 0 ? progress.done / progress.total : null;
}

/** Whether two kept results were judged alike, so that their numbers belong in one chart. */
export function judgedAlike(a: LabReport, b: LabReport): boolean {
  return a.text === b.text && JSON.stringify(a.convention) === JSON.stringify(b.convention);
}

/** A result's name beside others: the model, and the time where one model stands there twice. */
export function resultName(summary: LabSummary, others: readonly LabSummary[], when: string): string {
  const twice = others.some((other) => other.id !== summary.id && other.modelName === summary.modelName);
  return twice ? `${summary.modelName}, ${when}` : summary.modelName;
}
