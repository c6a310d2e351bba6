import { KeystoneError } from "#shared/errors.ts";
import type { TaskReport } from "#shared/evaluation.ts";
import { readTaskFiles } from "#engine/tasks/read/readTaskFiles.ts";
import { ORIGINAL, runTasks } from "#engine/tasks/score/runTasks.ts";
import { maximaFor } from "../model/calibration.ts";
import { openModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";
import { planVariant } from "../model/variants.ts";

/** Task files answered by the original or a variant. */
export async function tasksTask(fields: TaskFields<"tasks">, talk: Talk): Promise<TaskReport[]> {
  const { files: paths, variant: request, dataset, limit, items, calibration } = fields;
  const files = await readTaskFiles(paths, { dataset, limit });
  const model = await openModel(fields.model);
  const maxima = await maximaFor(model, calibration, talk.watch);
  const variant = request ? planVariant(model, request, maxima).variant : ORIGINAL;
  const [result] = await runTasks({
    ...model,
    ...talk.watch,
    tokenizer: await model.tokenizer(),
    files,
    variants: [variant],
    items,
  });
  if (result?.error) throw KeystoneError.fromData(result.error);
  return [...(result?.tasks ?? [])];
}
