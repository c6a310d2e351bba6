import { toErrorData } from "#shared/errors.ts";
import { useGate } from "#engine/forward/runtime/nativeGate.ts";
import { createTalk, type Talk } from "./protocol/talk.ts";
import type { Task, TaskFields, TaskKind, TaskReply, TaskResult } from "./protocol/task.ts";
import { ablateTask } from "./tasks/ablate.ts";
import { compareTask } from "./tasks/compare.ts";
import { detectTask } from "./tasks/detect.ts";
import { diffTask } from "./tasks/diff.ts";
import { evaluateTask } from "./tasks/evaluate.ts";
import { exportTask } from "./tasks/export.ts";
import { generateTask } from "./tasks/generate.ts";
import { describeTask, probeTask, scanTask, statisticsTask } from "./tasks/inspect.ts";
import { labTask } from "./tasks/lab.ts";
import { sameTask } from "./tasks/same.ts";
import { baselineTask, waveTask } from "./tasks/sweep.ts";
import { tasksTask } from "./tasks/tasks.ts";
import { tryTask } from "./tasks/tryAs.ts";

/** One named function for each thing the engine does. */
const functions: { [K in TaskKind]: (fields: TaskFields<K>, talk: Talk) => Promise<TaskResult<K>> } = {
  probe: probeTask,
  statistics: statisticsTask,
  scan: scanTask,
  try: tryTask,
  describe: describeTask,
  detect: detectTask,
  baseline: baselineTask,
  same: sameTask,
  wave: waveTask,
  evaluate: evaluateTask,
  ablate: ablateTask,
  tasks: tasksTask,
  compare: compareTask,
  diff: diffTask,
  generate: generateTask,
  export: exportTask,
  lab: labTask,
};

/** The pool's entry: does one task and says how it went. Never throws; what goes wrong is part of the reply. */
export default async function work(task: Task): Promise<TaskReply> {
  useGate(task.gate);
  try {
    const run = functions[task.kind] as (fields: Task, talk: Talk) => Promise<TaskResult<TaskKind>>;
    return { ok: true, value: await run(task, createTalk(task)) };
  } catch (error) {
    return { ok: false, error: toErrorData(error) };
  } finally {
    useGate(null);
    task.port.postMessage({ type: "end" });
    task.port.close();
  }
}
