import type { TaskFile } from "../types.ts";
import { distinctNames } from "./distinctNames.ts";
import { readTaskFile, type ReadTaskOptions } from "./readTaskFile.ts";

/**
 * Reads task files in their order, under names of which no two are the same.
 * @throws KeystoneError what {@link readTaskFile} throws
 */
export async function readTaskFiles(
  paths: readonly string[],
  options: ReadTaskOptions = {},
): Promise<TaskFile[]> {
  const files: TaskFile[] = [];
  for (const path of paths) files.push(await readTaskFile(path, options));
  const names = distinctNames(files);
  return files.map((file, i) => ({ ...file, name: names[i] }));
}
