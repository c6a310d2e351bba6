import type { TaskDataset, TaskReport } from "#shared/evaluation.ts";

export type TaskKind = TaskReport["kind"];

/** What a model is asked: how likely `continuation` is behind `context`. */
export interface TaskRequest {
  readonly context: string;
  readonly continuation: string;
}

/** A row as a question: the texts that a dataset's prompt makes of its columns. */
export interface Question {
  /** One a choice; the only one of a last word. */
  readonly requests: readonly TaskRequest[];
  /** Index of the right choice; null where every token of the only continuation must be the most likely. */
  readonly gold: number | null;
  /** Characters (code points) of each choice without its delimiter: what acc_norm divides by. */
  readonly lengths: readonly number[];
}

/** Where a row stands. */
export interface RowPlace {
  readonly file: string;
  /** Line of a JSONL file, element of a JSON array, row of a Parquet file; from 1. */
  readonly line: number;
}

export interface TaskItem extends Question, RowPlace {}

/** A row that was left out, and why: a predicate, e.g. `has the label 7; choices are 0 to 3`. */
export interface SkippedRow extends RowPlace {
  readonly reason: string;
}

/** The questions of one task: a file, or the files of one split in a folder. */
export interface TaskFile {
  /** Shown in results and errors. */
  readonly name: string;
  /** The file or folder. */
  readonly path: string;
  /** Names of the files that were read. */
  readonly files: readonly string[];
  readonly dataset: TaskDataset;
  readonly kind: TaskKind;
  /** Whether accuracy by log-likelihood per character (acc_norm) is reported. */
  readonly normalised: boolean;
  readonly items: readonly TaskItem[];
  readonly skipped: readonly SkippedRow[];
  /** Whether reading ended at the number of items that was asked for: there may be rows behind them. */
  readonly limited?: boolean | undefined;
}
