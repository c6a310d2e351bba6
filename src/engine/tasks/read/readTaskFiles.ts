import type { TaskFile } from "../datasets/taskItem.ts";
import { distinctNames } from "./distinctNames.ts";
import { readTasks, type ReadTaskOptions } from "./readTaskFile.ts";

/**
 * Reads the tasks of some paths in their order, under names of which no two are the same.
 * @throws KeystoneError what {@link readTasks} throws
 */
export async function readTaskFiles(
  paths: readonly string[],
  options: ReadTaskOptions = {},
): Promise<TaskFile[]> {
  const files: TaskFile[] = [];
  for (const path of paths) files.push(...(await readTasks(path, options)));
  const names = distinctNames(files);
  return files.map((file, i) => ({ ...file, name: names[i] }));
}
