import { KeystoneError } from "#shared/errors.ts";
import { list } from "#shared/format.ts";
import type { TaskDataset } from "#shared/evaluation.ts";
import { describeFormats, nearestFormat } from "../datasets/recognise.ts";
import type { SkippedRow } from "../datasets/taskItem.ts";

/** How far the rows of a file came that made no question: what is there to mend. */
export type Reached = "nothing" | "rows" | "columns" | "questions";

/**
 * A file of which no row makes a question.
 * @param first the first row that was left out
 * @param columns of the first row that had any
 */
export function noItems(
  name: string,
  reached: Reached,
  first: SkippedRow | undefined,
  columns: readonly string[],
  dataset?: TaskDataset,
): KeystoneError {
  return new KeystoneError(
    reached === "columns" ? "tasks/unknown-columns" : "tasks/no-items",
    `${name} holds no task: ${first ? `line ${first.line} ${first.reason}` : "it is empty"}.`,
    nextStep(reached, columns, dataset),
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
    nextStep("columns", columns, dataset),
    { name: file, line: null },
  );
}

function nextStep(reached: Reached, columns: readonly string[], dataset?: TaskDataset): string {
  switch (reached) {
    case "nothing":
      return "Check that it is the file you mean, and that it was written to its end.";
    case "rows":
      return "Write one JSON object a line, a JSON array of objects, CSV or Parquet.";
    case "columns": {
      const near = nearestFormat(columns, dataset);
      const add = near ? `Give each row ${quoted(near.missing)} for ${near.dataset}. ` : "";
      return `${add}Known columns are ${describeFormats(dataset)}.`;
    }
    case "questions":
      return "Its columns are known: correct what they hold, or name the split that was published with its answers.";
  }
}

/** A predicate: `has the columns "goal", "sol1", which are …`. */
export function notTheirColumns(columns: readonly string[], dataset?: TaskDataset): string {
  const near = nearestFormat(columns, dataset);
  const those =
    dataset === undefined
      ? `a known dataset${near ? `: ${near.dataset}, the nearest, also needs ${quoted(near.missing)}` : ""}`
      : `the dataset ${dataset}${near ? `, which also needs ${quoted(near.missing)}` : ""}`;
  return `has the columns ${shown(columns)}, which are not those of ${those}`;
}

function quoted(columns: readonly string[]): string {
  return list(columns.map((column) => `"${column}"`));
}

/** At most eight names, none of them long: they are the file's. */
function shown(columns: readonly string[]): string {
  const first = columns.slice(0, 8).map((column) => `"${column.slice(0, 40)}"`);
  return first.join(", ") + (columns.length > 8 ? ` and ${columns.length - 8} more` : "");
}
