import { KeystoneError } from "#shared/errors.ts";
import type { TaskDataset } from "#shared/evaluation.ts";
import type { DatasetFormat } from "../datasets/format.ts";
import { describeFormats, recognise } from "../datasets/recognise.ts";
import type { Question, SkippedRow, TaskFile, TaskItem } from "../types.ts";
import { columnsOf, type Row } from "./rows.ts";

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

export function createCollector(name: string, { dataset, limit = Infinity }: CollectOptions): ItemCollector {
  const items: TaskItem[] = [];
  const skipped: SkippedRow[] = [];
  let format: DatasetFormat | null = null;
  let recognised = false;

  function read(row: Row): { question: Question; by: DatasetFormat } | string {
    if ("reason" in row) return row.reason;
    const columns = columnsOf(row.value);
    if (columns === null) return "is not an object with columns";
    const by = recognise(columns, dataset);
    if (by === null) return notTheirColumns(columns, dataset);
    recognised = true;
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
      if (format === null) throw noItems(name, skipped[0], recognised || skipped.length === 0, dataset);
      const { kind, normalised } = format;
      return { name, files, dataset: format.dataset, kind, normalised, items, skipped };
    },
  };
}

function noItems(
  name: string,
  first: SkippedRow | undefined,
  recognised: boolean,
  dataset?: TaskDataset,
): KeystoneError {
  return new KeystoneError(
    recognised ? "tasks/no-items" : "tasks/unknown-columns",
    `${name} holds no task: ${first ? `line ${first.line} ${first.reason}` : "it is empty"}.`,
    `Known columns are ${describeFormats(dataset)}.`,
    { name, line: first?.line ?? null },
  );
}

/** A file whose columns are named once, and are no dataset's. */
export function unknownColumns(
  file: string,
  columns: readonly string[],
  dataset?: TaskDataset,
): KeystoneError {
  return new KeystoneError(
    "tasks/unknown-columns",
    `${file} holds no task: it ${notTheirColumns(columns, dataset)}.`,
    `Known columns are ${describeFormats(dataset)}.`,
    { name: file, line: null },
  );
}

function notTheirColumns(columns: readonly string[], dataset?: TaskDataset): string {
  return `has the columns ${quoted(columns)}, which are not those of ${whose(dataset)}`;
}

function whose(dataset?: TaskDataset): string {
  return dataset === undefined ? "a known dataset" : `the dataset ${dataset}`;
}

/** At most eight names. */
function quoted(columns: readonly string[]): string {
  const shown = columns.slice(0, 8).map((column) => `"${column.slice(0, 40)}"`);
  return shown.join(", ") + (columns.length > 8 ? ` and ${columns.length - 8} more` : "");
}
