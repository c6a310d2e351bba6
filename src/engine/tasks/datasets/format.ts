import type { z } from "zod";
import type { TaskDataset } from "#shared/evaluation.ts";
import { describeIssues } from "#shared/plan.ts";
import type { Question, TaskKind } from "./taskItem.ts";

/** One dataset's columns, and the questions that its prompt makes of them. */
export interface DatasetFormat {
  readonly dataset: TaskDataset;
  readonly kind: TaskKind;
  /** Whether lm-eval reports acc_norm for it. */
  readonly normalised: boolean;
  /** Columns that a row must have. */
  readonly columns: readonly string[];
  /** Columns that are read where they are there. */
  readonly optionalColumns: readonly string[];
  /** The row's question, or the reason why it is none, as a predicate. */
  read(row: Readonly<Record<string, unknown>>): Question | string;
}

interface Definition<S extends z.ZodObject> extends Pick<DatasetFormat, "dataset" | "kind" | "normalised"> {
  /** The columns and what they hold; others are ignored unless it is strict. */
  readonly row: S;
  readonly question: (row: z.infer<S>) => Question | string;
}

/** A dataset's format from the schema of its rows and its prompt. */
export function defineFormat<S extends z.ZodObject>({
  row,
  question,
  ...about
}: Definition<S>): DatasetFormat {
  const columns = Object.entries(row.shape);
  const optional = ([, column]: (typeof columns)[number]): boolean =>
    (column as z.ZodType).safeParse(undefined).success;
  return {
    ...about,
    columns: columns.filter((column) => !optional(column)).map(([name]) => name),
    optionalColumns: columns.filter(optional).map(([name]) => name),
    read(values) {
      const parsed = row.safeParse(values);
      return parsed.success
        ? question(parsed.data)
        : `does not fit its columns (${describeIssues(parsed.error.issues)})`;
    },
  };
}
