import { join } from "node:path";
import { summarizeModel } from "#studio/context/summarizeModel.ts";
import { SEVENTY_B } from "./checkpointShape.ts";
import { writeSparseCheckpoint } from "./sparseCheckpoint.ts";
import { inTemporaryFolder } from "./temporaryFolder.ts";

const GOAL_SECONDS = 2;
const TIMES = 5;

// What opening a model takes before anything of it is shown: headers, config, and the sample that it is known by.
await inTemporaryFolder(async (folder) => {
  const model = join(folder, "model");
  await writeSparseCheckpoint(model, SEVENTY_B);
  const seconds: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const begin = performance.now();
    const { tensors, bytes, architecture } = await summarizeModel(model);
    seconds.push((performance.now() - begin) / 1000);
    if (i === 0)
      console.log(`${tensors.length} tensors, ${(bytes / 1e9).toFixed(1)} GB, ${architecture.layers} layers`);
  }
  const worst = Math.max(...seconds);
  console.log(`overview: ${seconds.map((it) => it.toFixed(2)).join(", ")} s; goal ${GOAL_SECONDS} s`);
  if (!(worst < GOAL_SECONDS)) process.exitCode = 1;
});
