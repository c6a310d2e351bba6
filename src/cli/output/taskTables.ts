import type { TaskItemReport, TaskReport } from "#shared/evaluation.ts";
import { count, fixed, percent } from "./numbers.ts";
import { textTable } from "./table.ts";

/** Places of left-out rows that are named; the rest are counted. */
const NAMED_PLACES = 5;

/** One row a task: acc, acc_norm and LAMBADA's perplexity as lm-eval names them; below it what was left out or cut, and why. */
export function tasksText(tasks: readonly TaskReport[]): string {
  const table = textTable(
    [
      { title: "task" },
      { title: "dataset" },
      { title: "acc", align: "right" },
      { title: "±", align: "right" },
      { title: "acc_norm", align: "right" },
      { title: "±", align: "right" },
      { title: "perplexity", align: "right" },
      { title: "n", align: "right" },
      { title: "skipped", align: "right" },
    ],
    tasks.map((task) => [
      task.name,
      task.dataset,
      percent(task.accuracy),
      percent(task.stderr),
      percent(task.accuracyNorm),
      percent(task.stderrNorm),
      fixed(task.perplexity, 3, task.notFinite),
      count(task.n),
      count(task.skipped.length),
    ]),
  );
  return table + tasks.flatMap((task) => [...cutNote(task), ...skippedNotes(task)]).join("");
}

/** One row a question, where they were asked for. */
export function itemsText(tasks: readonly TaskReport[]): string {
  const rows = tasks.flatMap((task) => (task.items ?? []).map((item) => [task.name, ...itemCells(item)]));
  if (rows.length === 0) return "";
  const columns = ["task", "file", "line", "right choice", "right", "log-likelihoods, nats"];
  return `${textTable(
    columns.map((title) => ({ title, align: title === "line" ? ("right" as const) : ("left" as const) })),
    rows,
  )}\n`;
}

function itemCells({ file, line, gold, right, rightNorm, logLikelihoods }: TaskItemReport): string[] {
  const verdict = right ? "yes" : "no";
  return [
    file,
    count(line),
    gold === null ? "–" : count(gold),
    rightNorm === null ? verdict : `${verdict}, normed ${rightNorm ? "yes" : "no"}`,
    logLikelihoods.map((value) => fixed(value, 4, value === null)).join("  "),
  ];
}

function cutNote({ name, truncated }: TaskReport): string[] {
  if (truncated === 0) return [];
  return [`${name}: ${items(truncated)} had more context than fits; it was cut on the left.\n`];
}

function skippedNotes({ name, skipped }: TaskReport): string[] {
  const byReason = Map.groupBy(skipped, ({ reason }) => reason);
  return [...byReason].map(([reason, rows]) => {
    const places = rows.slice(0, NAMED_PLACES).map(({ file, line }) => `${file} ${line}`.trim());
    const more = rows.length > NAMED_PLACES ? ` and ${count(rows.length - NAMED_PLACES)} more` : "";
    const which = rows.length === 1 ? "which" : "each of which";
    return `${name}: skipped ${items(rows.length)}, ${which} ${reason} (${places.join(", ")}${more}).\n`;
  });
}

function items(n: number): string {
  return n === 1 ? "1 item" : `${count(n)} items`;
}
