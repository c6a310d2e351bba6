import { basename } from "node:path";
import type { AblateReport } from "#shared/evaluation.ts";
import { ablate } from "#engine/superweight/ablate/ablate.ts";
import { readTaskFiles } from "#engine/tasks/read/readTaskFiles.ts";
import { openModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/** What the model loses without its super weights. */
export async function ablateTask(fields: TaskFields<"ablate">, talk: Talk): Promise<AblateReport> {
  const { text, judge, superWeights, factors, tasks } = fields;
  const model = await openModel(fields.model);
  const report = await ablate({
    ...model,
    ...talk.watch,
    tokenizer: await model.tokenizer(),
    windows: await windowsOf(model, text, judge),
    text: basename(text),
    superWeights,
    scales: factors,
    tasks: tasks === null ? [] : await readTaskFiles([tasks]),
  });
  return { ...report, model: fields.model.path, text };
}
