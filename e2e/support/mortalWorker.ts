import { existsSync } from "node:fs";
import type { Task, TaskReply } from "../../src/worker/protocol/task.ts";
import work from "../../src/worker/worker.ts";

/** The bits at which a wave ends its thread. */
export const DEADLY_BITS = 2;
/** Environment variable: while this file is missing, threads end. */
export const CURE = "KEYSTONE_CURE";

/** The real worker, whose thread ends in the middle of every wave that holds a deadly recipe, until there is a cure. */
export default function mortalWorker(task: Task): Promise<TaskReply> {
  const deadly = task.kind === "wave" && task.variants.some(({ recipe }) => recipe.bits === DEADLY_BITS);
  if (deadly && !existsSync(process.env[CURE] ?? "")) setTimeout(() => process.exit(9), 50);
  return work(task);
}
