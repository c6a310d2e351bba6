import { setTimeout as wait } from "node:timers/promises";
import type { Task, TaskReply } from "../../src/worker/protocol/task.ts";
import work from "../../src/worker/worker.ts";

/** How long work that a person waits for takes at least. */
const DELAY_MS: Partial<Record<Task["kind"], number>> = {
  wave: 400,
  baseline: 300,
  detect: 1_500,
  export: 800,
};

/** The real worker, which takes its time over what the demo model is done with in no time. */
export default async function walkWorker(task: Task): Promise<TaskReply> {
  await wait(DELAY_MS[task.kind] ?? 0);
  return work(task);
}
