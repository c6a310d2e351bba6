import type { TaskReport } from "./evaluation.ts";
import { count, number, percent, plural } from "./format.ts";

/** Places of left-out rows that are named, and reasons; the rest are counted. */
const NAMED_PLACES = 5;
const NAMED_REASONS = 8;

/** One task in a line: `validation (piqa): 200 items, acc 70.5% ± 3.2%, acc_norm 71.0% ± 3.2%; 1 cut on the left; 3 skipped`. */
export function taskSummary(task: TaskReport): string {
  const { name, dataset, n, accuracy, stderr, accuracyNorm, stderrNorm } = task;
  const figures = [
    plural(n, "item"),
    withError("acc", accuracy, stderr),
    ...(accuracyNorm === null ? [] : [withError("acc_norm", accuracyNorm, stderrNorm)]),
    ...(task.kind === "last-word" ? [`perplexity ${perplexityWord(task)}`] : []),
  ];
  const cut = task.truncated > 0 ? [`${count(task.truncated)} cut on the left`] : [];
  const skipped = task.skipped.length > 0 ? [`${count(task.skipped.length)} skipped`] : [];
  return [`${name} (${dataset}): ${figures.join(", ")}`, ...cut, ...skipped].join("; ");
}

function withError(measure: string, value: number, stderr: number | null): string {
  return `${measure} ${percent(value)}${stderr === null ? "" : ` ± ${percent(stderr)}`}`;
}

function perplexityWord({ perplexity, notFinite }: TaskReport): string {
  return perplexity === null && notFinite ? "not finite" : number(perplexity, 3);
}

/** What was cut or left out of a task, and why: a sentence a reason, with the first places. */
export function leftOut({ name, truncated, skipped }: TaskReport): string[] {
  const cut =
    truncated === 0
      ? []
      : [`${name}: ${plural(truncated, "item")} had more context than fits; it was cut on the left.`];
  const byReason = [...Map.groupBy(skipped, ({ reason }) => reason)];
  const others = byReason.slice(NAMED_REASONS).reduce((sum, [, rows]) => sum + rows.length, 0);
  return [
    ...cut,
    ...byReason.slice(0, NAMED_REASONS).map(([reason, rows]) => {
      const places = rows.slice(0, NAMED_PLACES).map(({ file, line }) => `${file} ${line}`.trim());
      const more = rows.length > NAMED_PLACES ? ` and ${count(rows.length - NAMED_PLACES)} more` : "";
      const which = rows.length === 1 ? "which" : "each of which";
      return `${name}: skipped ${plural(rows.length, "item")}, ${which} ${reason} (${places.join(", ")}${more}).`;
    }),
    ...(others === 0 ? [] : [`${name}: skipped ${plural(others, "item")} more, for other reasons.`]),
  ];
}
