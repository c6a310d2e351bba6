import type { TaskItemReport, TaskReport } from "#shared/evaluation.ts";
import { taskTable } from "#shared/figures/taskTable.ts";
import { leftOut } from "#shared/taskWords.ts";
import { figureTableText } from "./figureTable.ts";
import { count, fixed } from "./numbers.ts";
import { textTable } from "./table.ts";

/** One row a task: acc, acc_norm and LAMBADA's perplexity as lm-eval names them; below it what was left out or cut, and why. */
export function tasksText(tasks: readonly TaskReport[]): string {
  return (
    figureTableText(taskTable(tasks)) +
    tasks
      .flatMap(leftOut)
      .map((note) => `${note}\n`)
      .join("")
  );
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
