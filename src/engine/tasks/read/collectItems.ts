import type { TaskDataset } from "#shared/evaluation.ts";
import type { DatasetFormat } from "../datasets/format.ts";
import { recognise } from "../datasets/recognise.ts";
import type { Question, SkippedRow, TaskFile, TaskItem } from "../datasets/taskItem.ts";
import { noItems, notTheirColumns, type Reached } from "./refusals.ts";
import { columnsOf, type Row } from "#engine/files/tables/rows.ts";

/** Turns rows into questions. The first good row decides whose columns the task has. */
export interface ItemCollector {
  /** @returns false once there are as many items as were asked for */
  add(file: string, row: Row): boolean;
  /** @throws KeystoneError tasks/unknown-columns, tasks/no-items */
  finish(files: readonly string[]): TaskFile;
}

export interface CollectOptions {
  /** The dataset that the rows must be of; recognised from their columns where it is absent. */
  readonly dataset?: TaskDataset | undefined;
  /** At most so many items: the first. */
  readonly limit?: number | undefined;
}

export function createCollector(
  name: string,
  path: string,
  { dataset, limit = Infinity }: CollectOptions,
): ItemCollector {
  const items: TaskItem[] = [];
  const skipped: SkippedRow[] = [];
  let format: DatasetFormat | null = null;
  let reached: Reached = "nothing";
  let firstColumns: readonly string[] = [];

  function read(row: Row): { question: Question; by: DatasetFormat } | string {
    if (reached === "nothing") reached = "rows";
    if ("reason" in row) return row.reason;
    const columns = columnsOf(row.value);
    if (columns === null) return "is not an object with columns";
    if (reached === "rows") [reached, firstColumns] = ["columns", columns];
    const by = recognise(columns, dataset);
    if (by === null) return notTheirColumns(columns, dataset);
    reached = "questions";
    if (format !== null && by !== format)
      return `is of another kind than the rows before it (${by.dataset}, ${by.kind}; they are ${format.dataset}, ${format.kind})`;
    const question = by.read(row.value as Record<string, unknown>);
    return typeof question === "string" ? question : { question, by };
  }

  return {
    add(file, row) {
      const made = read(row);
      if (typeof made === "string") skipped.push({ file, line: row.line, reason: made });
      else {
        format = made.by;
        items.push({ ...made.question, file, line: row.line });
      }
      return items.length < limit;
    },
    finish(files) {
      if (format === null) throw noItems(name, reached, skipped[0], firstColumns, dataset);
      const { kind, normalised } = format;
      return { name, path, files, dataset: format.dataset, kind, normalised, items, skipped };
    },
  };
}
