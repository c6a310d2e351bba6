import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { unreadable } from "./errors.ts";

/** A part of a dataset, as names of files say it. */
export type Split = "train" | "validation" | "test";

/** The files of one split; `split` is null where the names say none. */
export interface SplitFiles {
  readonly split: Split | null;
  readonly files: readonly string[];
}

const EXTENSIONS = [".jsonl", ".ndjson", ".json", ".parquet"];
/** `validation-00000-of-00001.parquet`, `test.jsonl`, `arc_easy_test.jsonl`. */
const SPLIT_NAME = /(?:^|[-_.])(train|validation|valid|val|dev|test)(?=[-_.]|$)/i;
/** Datasets saved by their library keep their files one folder down. */
const DATA_FOLDER = "data";

/**
 * The task files at a path: the file itself, or a folder's files by split. Folders inside are not looked into, but for `data`
 * where the folder itself holds none.
 * @throws KeystoneError tasks/unreadable, tasks/no-files
 */
export async function taskSources(path: string): Promise<SplitFiles[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!found.isDirectory()) return [{ split: null, files: [path] }];
  const inside = await readdir(path, { withFileTypes: true });
  const folders = inside.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = inside
    .filter((entry) => !entry.isDirectory() && EXTENSIONS.includes(extname(entry.name).toLowerCase()))
    .map(({ name }) => join(path, name))
    .sort();
  if (files.length > 0) return bySplit(files);
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

function splitOf(file: string): Split | null {
  const named = SPLIT_NAME.exec(basename(file, extname(file)))?.[1]?.toLowerCase();
  if (named === undefined) return null;
  return named === "train" || named === "test" ? named : "validation";
}
