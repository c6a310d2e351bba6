import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { TaskReport } from "#shared/evaluation.ts";
import { parseTasks, type TaskFile } from "#engine/evaluate/taskFile.ts";
import { ORIGINAL, runTasks } from "#engine/evaluate/tasks.ts";
import { openModel } from "../openModel.ts";
import type { Talk } from "../talk.ts";
import type { TaskFields } from "../task.ts";
import { planVariant } from "../variants.ts";

/** Task files answered by the original or a variant. */
export async function tasksTask(
  { model: handle, files, variant: request }: TaskFields<"tasks">,
  talk: Talk,
): Promise<TaskReport[]> {
  const model = await openModel(handle);
  const variant = request ? planVariant(model, request).variant : ORIGINAL;
  const read = await Promise.all(files.map(readTaskFile));
  const [result] = await runTasks({
    ...model,
    ...talk.watch,
    tokenizer: await model.tokenizer(),
    files: read,
    variants: [variant],
  });
  if (result?.error) throw KeystoneError.fromData(result.error);
  return [...(result?.tasks ?? [])];
}

/** @throws KeystoneError tasks/unreadable, tasks/no-items */
export async function readTaskFile(path: string): Promise<TaskFile> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new KeystoneError(
      "tasks/unreadable",
      `The task file ${path} cannot be read.`,
      "Check its path.",
      { path },
      { cause },
    );
  });
  return parseTasks(text, basename(path, extname(path)));
}
