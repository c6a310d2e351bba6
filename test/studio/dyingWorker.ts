import { existsSync, writeFileSync } from "node:fs";
import type { Task, TaskReply } from "#worker/protocol/task.ts";
import work from "#worker/worker.ts";

/** The real worker, whose thread ends in the middle of the first wave: FAKE_MARK is the file by which it knows. */
export default async function dyingWorker(task: Task): Promise<TaskReply> {
  const mark = process.env["FAKE_MARK"];
  if (task.kind === "wave" && mark && !existsSync(mark)) {
    writeFileSync(mark, "");
    setTimeout(() => process.exit(9), 50);
  }
  return work(task);
}
