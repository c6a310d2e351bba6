import { basename, extname } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { TaskDataset } from "#shared/evaluation.ts";
import { recognise } from "../datasets/recognise.ts";
import type { TaskFile } from "../datasets/taskItem.ts";
import { createCollector, type CollectOptions, type ItemCollector } from "./collectItems.ts";
import { openRows } from "#engine/files/tables/openRows.ts";
import { unknownColumns } from "./refusals.ts";
import { columnsOf } from "#engine/files/tables/rows.ts";
import { taskSources, type Split, type SplitFiles, type TaskSource } from "./taskSources.ts";

export type ReadTaskOptions = CollectOptions;

/** The split that lm-eval scores; the test splits of the others were published without answers. */
const SCORED_SPLIT: Readonly<Record<TaskDataset, Split>> = {
  own: "test",
  piqa: "validation",
  hellaswag: "validation",
  winogrande: "validation",
  arc: "test",
  lambada: "test",
  sciq: "test",
  mmlu: "test",
};
const OTHER_SPLITS: readonly (Split | null)[] = ["test", "validation", null, "train"];

/**
 * Reads the tasks at a path: a file (JSON lines, a JSON array, CSV or Parquet), or a folder, whose files are a task for each name
 * that they have without split and number. Of a task the files of the split that lm-eval scores are read in the order of their
 * names. Rows that make no question are listed with the reason.
 * @throws KeystoneError tasks/unreadable, tasks/no-files, tasks/too-large, tasks/bad-parquet, tasks/bad-csv, tasks/unknown-columns,
 *   tasks/no-items
 */
export async function readTasks(path: string, options: ReadTaskOptions = {}): Promise<TaskFile[]> {
  const sources = await taskSources(path);
  const tasks: TaskFile[] = [];
  for (const source of sources) {
    const several = sources.length > 1;
    const task = await readTask(path, source, several, options).catch((cause: unknown) => {
      throw several ? inFolder(path, cause) : cause;
    });
    tasks.push(task);
  }
  return tasks;
}

/** Of several files in a folder one is no task: it was not named, so that the folder must be. */
function inFolder(path: string, cause: unknown): unknown {
  if (!(cause instanceof KeystoneError)) return cause;
  const { code, message, next, details } = cause;
  return new KeystoneError(
    code,
    `In the folder ${basename(path)}, ${message}`,
    `Name the task files themselves. ${next}`,
    details,
    { cause },
  );
}

/** The only task at a path. @throws KeystoneError as {@link readTasks} */
export async function readTaskFile(path: string, options: ReadTaskOptions = {}): Promise<TaskFile> {
  const [task] = await readTasks(path, options);
  return task;
}

/** @param several whether the path holds other tasks too, so that its own name says too little */
async function readTask(
  path: string,
  { name: own, splits }: TaskSource,
  several: boolean,
  options: ReadTaskOptions,
): Promise<TaskFile> {
  const { split, files } = splits.length === 1 ? splits[0] : await chooseSplit(splits, options.dataset);
  const whole = basename(path, splits[0].files[0] === path ? extname(path) : "");
  const name = several && own !== "" ? own : whole;
  const collector = createCollector(splits.length > 1 && split ? `${name} (${split})` : name, path, options);
  let limited = false;
  for (const file of files) {
    limited = !(await collect(file, collector, options));
    if (limited) break;
  }
  return { ...collector.finish(files.map((file) => basename(file))), limited };
}

/** @returns false once there are enough items */
async function collect(
  path: string,
  collector: ItemCollector,
  { dataset }: ReadTaskOptions,
): Promise<boolean> {
  const file = await openRows(path);
  try {
    for await (const row of file.rows(wantedColumns(basename(path), file.columns, dataset)))
      if (!collector.add(basename(path), row)) return false;
    return true;
  } finally {
    await file.close();
  }
}

/** The columns that a question is made of, of a file that says its columns. */
function wantedColumns(
  file: string,
  columns: readonly string[] | null,
  dataset?: TaskDataset,
): readonly string[] | undefined {
  if (columns === null) return undefined;
  const format = recognise(columns, dataset);
  if (format === null) throw unknownColumns(file, columns, dataset);
  return [...format.columns, ...format.optionalColumns].filter((column) => columns.includes(column));
}

async function chooseSplit(splits: readonly SplitFiles[], dataset?: TaskDataset): Promise<SplitFiles> {
  const known = dataset ?? (await datasetOf(splits[0].files[0]));
  const order = [...(known ? [SCORED_SPLIT[known]] : []), ...OTHER_SPLITS];
  const found = order.flatMap((wanted) => splits.filter(({ split }) => split === wanted));
  return found[0];
}

/** Whose columns a file has; null where its first row's are unknown. */
async function datasetOf(path: string): Promise<TaskDataset | null> {
  const file = await openRows(path);
  try {
    if (file.columns) return recognise(file.columns)?.dataset ?? null;
    for await (const row of file.rows()) {
      const columns = "value" in row ? columnsOf(row.value) : null;
      if (columns) return recognise(columns)?.dataset ?? null;
    }
    return null;
  } finally {
    await file.close();
  }
}
