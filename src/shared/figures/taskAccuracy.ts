import type { TaskReport } from "../evaluation.ts";
import { percent } from "../format.ts";
import { percentScale } from "./axes.ts";
import { dotPlot, type DotRow } from "./dotPlot.ts";
import type { Figure } from "./figure.ts";
import type { Role } from "./marks.ts";
import type { Palette } from "./palette.ts";
import type { Cell, FigureColumn, FigureTable } from "./table.ts";
import { TASK_FIGURES, taskFigures } from "./taskTable.ts";

/** One state of the model with its answers to the task files. */
export interface Answered {
  readonly name: string;
  readonly role: Role;
  readonly tasks?: readonly TaskReport[] | undefined;
}

/** Names of the tasks that the states answered, in the order of the first that did. */
export function taskNames(states: readonly { tasks?: readonly TaskReport[] | undefined }[]): string[] {
  return [...new Set(states.flatMap(({ tasks }) => tasks?.map(({ name }) => name) ?? []))];
}

/** Unweighted mean of the tasks' accuracies, as the paper's AVG; null without tasks. */
export function meanAccuracy(tasks: readonly TaskReport[] | undefined): number | null {
  if (!tasks || tasks.length === 0) return null;
  return tasks.reduce((sum, { accuracy }) => sum + accuracy, 0) / tasks.length;
}

/** Standard error of that mean, the tasks' being independent; null without tasks, or where one has no error. */
export function meanError(tasks: readonly TaskReport[] | undefined): number | null {
  const errors = (tasks ?? []).map(({ stderr }) => stderr);
  if (errors.length === 0 || errors.includes(null)) return null;
  return Math.hypot(...errors.map(Number)) / errors.length;
}

/** A column a task, and their mean where there are several. */
export function accuracyColumns(names: readonly string[]): FigureColumn[] {
  const titles = names.length > 1 ? [...names, "Mean accuracy"] : names;
  return titles.map((title) => ({ title, format: "percent" }));
}

/** The cells that belong to {@link accuracyColumns}. */
export function accuracyCells(names: readonly string[], tasks: readonly TaskReport[] | undefined): Cell[] {
  const cells = names.map((name) => tasks?.find((task) => task.name === name)?.accuracy ?? null);
  return names.length > 1 ? [...cells, meanAccuracy(tasks)] : cells;
}

/** What each state answered: a row a task, and their mean where there are several. */
export function answersTable(first: string, states: readonly Omit<Answered, "role">[]): FigureTable {
  return {
    columns: [{ title: first, format: "text" }, { title: "Task", format: "text" }, ...TASK_FIGURES],
    rows: states.flatMap(({ name, tasks = [] }) => [
      ...tasks.map((task): Cell[] => [name, task.name, ...taskFigures(task)]),
      ...(tasks.length > 1 ? [meanRow(name, tasks)] : []),
    ]),
  };
}

function meanRow(name: string, tasks: readonly TaskReport[]): Cell[] {
  const items = tasks.reduce((sum, { n }) => sum + n, 0);
  return [name, "mean", meanAccuracy(tasks), meanError(tasks), null, null, null, items];
}

/** Accuracy of each state on each task, with its standard error; null where no task was asked. */
export function accuracyFigure(
  id: string,
  caption: string,
  states: readonly Answered[],
  palette: Palette,
): Figure | null {
  const names = taskNames(states);
  if (names.length === 0) return null;
  const answered = states.filter(({ tasks }) => (tasks?.length ?? 0) > 0);
  const rows = names.map((name): DotRow => ({
    label: name,
    dots: answered.flatMap((state) => taskDot(state, name)),
  }));
  if (names.length > 1) rows.push({ label: "mean", dots: answered.flatMap(meanDot) });
  const means = answered.map(({ name, tasks }) => `${name} ${percent(meanAccuracy(tasks))}`);
  return {
    id,
    title: "Accuracy on the task files",
    caption,
    summary: `Mean accuracy: ${means.join(", ")}.`,
    ...dotPlot(
      {
        rows,
        x: percentScale(),
        xLabel: "accuracy, bars = standard error",
        legend: answered.map(({ role, name }) => ({ role, name })),
      },
      palette,
    ),
    table: answersTable("State", answered),
  };
}

function taskDot({ name: state, role, tasks }: Answered, name: string): DotRow["dots"] {
  const task = tasks?.find((one) => one.name === name);
  if (!task) return [];
  const { accuracy, stderr, n } = task;
  const words = `${name}, ${state}: ${percent(accuracy)} ± ${percent(stderr)} of ${n}`;
  return [{ role, value: accuracy, text: "", words, error: stderr ?? undefined }];
}

function meanDot({ name, role, tasks }: Answered): DotRow["dots"] {
  const value = meanAccuracy(tasks);
  return [{ role, value, text: "", words: `mean, ${name}: ${percent(value)}` }];
}
