import type { TaskReport } from "../evaluation.ts";
import { scoreCell, type Cell, type FigureColumn, type FigureTable } from "./table.ts";

/** What is known of a task's answers, named as lm-eval names it. */
export const TASK_FIGURES: readonly FigureColumn[] = [
  { title: "acc", format: "percent" },
  { title: "±", format: "percent" },
  { title: "acc_norm", format: "percent" },
  { title: "±", format: "percent" },
  { title: "perplexity", format: "perplexity", decimals: 3 },
  { title: "n", format: "count" },
];

/** One row a task, and how many items were cut on the left or skipped. */
export function taskTable(tasks: readonly TaskReport[]): FigureTable {
  return {
    columns: [
      { title: "task", format: "text" },
      { title: "dataset", format: "text" },
      ...TASK_FIGURES,
      { title: "cut", format: "count" },
      { title: "skipped", format: "count" },
    ],
    rows: tasks.map((task) => [
      task.name,
      task.dataset,
      ...taskFigures(task),
      task.truncated,
      task.skipped.length,
    ]),
  };
}

/** The cells of {@link TASK_FIGURES}. */
export function taskFigures(task: TaskReport): Cell[] {
  return [
    task.accuracy,
    task.stderr,
    task.accuracyNorm,
    task.stderrNorm,
    scoreCell(task.perplexity, task.notFinite),
    task.n,
  ];
}
