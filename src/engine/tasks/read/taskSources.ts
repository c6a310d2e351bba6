import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { SPLIT_NAME, splitless } from "#engine/files/tables/splitName.ts";
import { unreadable } from "#engine/files/tables/tableErrors.ts";

/** A part of a dataset, as names of files say it. */
export type Split = "train" | "validation" | "test";

/** The files of one task, by split; its name is what they have in common, empty where they are named by their splits alone. */
export interface TaskSource {
  readonly name: string;
  readonly splits: readonly SplitFiles[];
}

/** The files of one split; `split` is null where the names say none. */
export interface SplitFiles {
  readonly split: Split | null;
  readonly files: readonly string[];
}

const EXTENSIONS = [".jsonl", ".ndjson", ".json", ".csv", ".parquet"];
/** What lies beside saved data sets and says how they were made. */
const DESCRIPTIONS = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];
/** Datasets saved by their library keep their files one folder down. */
const DATA_FOLDER = "data";

/**
 * The tasks at a path: the file itself, or what a folder's files are, those of one name by split and number (`piqa_valid.jsonl`,
 * `test-00001-of-00002.parquet`) being one. Folders inside are not looked into, but for `data` where the folder itself holds none.
 * @throws KeystoneError tasks/unreadable, tasks/no-files
 */
export async function taskSources(path: string): Promise<TaskSource[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!found.isDirectory()) return [{ name: "", splits: [{ split: null, files: [path] }] }];
  const inside = await readdir(path, { withFileTypes: true });
  const folders = inside.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = inside
    .filter((entry) => !entry.isDirectory() && isTaskFile(entry.name))
    .map(({ name }) => join(path, name))
    .sort();
  if (files.length > 0)
    return [...Map.groupBy(files, (file) => splitless(basename(file)))].map(([name, members]) => ({
      name,
      splits: bySplit(members),
    }));
  if (folders.includes(DATA_FOLDER)) return taskSources(join(path, DATA_FOLDER));
  throw new KeystoneError(
    "tasks/no-files",
    `The folder ${path} holds no task file (${EXTENSIONS.join(", ")})${folders.length > 0 ? `, but the folders ${folders.slice(0, 5).join(", ")}` : ""}.`,
    "Name the files, or the folder that holds them.",
    { path },
  );
}

function bySplit(files: readonly string[]): SplitFiles[] {
  const groups = new Map<Split | null, string[]>();
  for (const file of files) {
    const split = splitOf(file);
    groups.set(split, [...(groups.get(split) ?? []), file]);
  }
  return [...groups].map(([split, members]) => ({ split, files: members }));
}

function isTaskFile(name: string): boolean {
  return EXTENSIONS.includes(extname(name).toLowerCase()) && !DESCRIPTIONS.includes(name);
}

function splitOf(file: string): Split | null {
  const named = SPLIT_NAME.exec(basename(file, extname(file)))?.[1]?.toLowerCase();
  if (named === undefined) return null;
  return named === "train" || named === "test" ? named : "validation";
}
