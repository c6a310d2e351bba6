import type { LabReport } from "#shared/lab/index.ts";
import { runExperiment } from "#engine/lab/runExperiment.ts";
import { openModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";

/** One experiment; what it knows so far is told as it grows. */
export async function labTask(
  { model: handle, request, superWeights }: TaskFields<"lab">,
  talk: Talk,
): Promise<LabReport> {
  const model = await openModel(handle);
  return runExperiment({
    ...model,
    ...talk.watch,
    tokenizer: await model.tokenizer(),
    request,
    superWeights,
    onReport: (report) => talk.post({ type: "lab-report", report }),
  });
}
