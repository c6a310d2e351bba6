import { paceAt } from "#shared/contract/pace.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { Progress } from "#shared/contract/job.ts";
import { waitOrThrow } from "./control.ts";
import type { Task, TaskMessage } from "./task.ts";

/** How a task hears from the studio and is heard by it. */
export interface Talk {
  post(message: TaskMessage): void;
  /** For a task that is one pass. */
  readonly watch: Watch;
  /**
   * For the `index`-th of `count` passes that take about as long as one another: progress counts passes, so that it
   * does not start again with each.
   */
  pass(index: number, count: number): Watch;
  /**
   * For the `index`-th of `count` pieces of work of different kinds: progress counts pieces, each by its own share, and the rate of
   * one says nothing of another's.
   * @param name what stands in front of its phases, where these don't say it themselves
   */
  stage(index: number, count: number, name?: string): Watch;
}

/** Progress is told at most this often, in milliseconds; the last one of a pass always is. */
const PROGRESS_MS = 50;

export function createTalk(task: Pick<Task, "port" | "control">): Talk {
  const post = (message: TaskMessage): void => task.port.postMessage(message);
  const control = { check: () => waitOrThrow(task.control) };
  let last = -Infinity;
  const postProgress = (progress: Progress): void => {
    const now = performance.now();
    if (now - last < PROGRESS_MS && progress.done < progress.total) return;
    last = now;
    post({ type: "progress", progress });
  };
  return {
    post,
    watch: { control, onProgress: postProgress },
    pass: (index, count) => ({
      control,
      onProgress: (progress) => postProgress(asPass(progress, index, count)),
    }),
    stage: (index, count, name) => ({
      control,
      onProgress: (progress) =>
        postProgress(count > 1 ? asStage(progress, { index, count, name }) : progress),
    }),
  };
}

function asStage(
  { done, total, phase }: Progress,
  { index, count, name }: { index: number; count: number; name: string | undefined },
): Progress {
  return {
    done: index + (total > 0 ? done / total : 0),
    total: count,
    unit: "stages",
    phase: name === undefined ? phase : `${name}: ${phase}`,
    stage: String(index),
    ...paceAt(null, 0),
  };
}

function asPass({ done, total, phase, rate }: Progress, index: number, count: number): Progress {
  const passes = index + (total > 0 ? done / total : 0);
  const perSecond = rate === null || total === 0 ? null : rate / total;
  return {
    done: passes,
    total: count,
    unit: "passes",
    phase: count > 1 ? `pass ${index + 1} of ${count}: ${phase}` : phase,
    ...paceAt(perSecond, count - passes),
  };
}
