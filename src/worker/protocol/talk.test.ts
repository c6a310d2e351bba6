import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { afterEach, expect, it } from "vitest";
import type { Progress } from "#shared/contract/job.ts";
import { createControl } from "./control.ts";
import { createTalk, type Talk } from "./talk.ts";
import type { TaskMessage } from "./task.ts";

const { port1, port2 } = new MessageChannel();
afterEach(() => told());

function talk(): Talk {
  return createTalk({ port: port1, control: createControl() });
}

function told(): TaskMessage[] {
  const message = receiveMessageOnPort(port2) as { message: TaskMessage } | undefined;
  return message === undefined ? [] : [message.message, ...told()];
}

/** A whole piece of work, which is told whatever was told shortly before. */
const finished = (phase: string, unit: string, total: number): Progress => ({
  ...{ done: total, total, unit, phase },
  ...{ rate: 3, secondsLeft: 0 },
});

it("counts pieces of work of different kinds as one, each with a stage of its own", () => {
  const speaker = talk();
  speaker.stage(0, 3, "the original").onProgress?.(finished("layer 2 of 2", "tokens·layers", 400));
  speaker.stage(1, 3).onProgress?.({ ...finished("writing a", "bytes", 100), done: 100 });
  speaker.stage(2, 3).onProgress?.(finished("running it", "windows", 7));
  const progress = told().map((message) => message.type === "progress" && message.progress);
  expect(progress).toEqual([
    expect.objectContaining({ done: 1, total: 3, phase: "the original: layer 2 of 2", stage: "0" }),
    expect.objectContaining({ done: 3, total: 3, phase: "running it", stage: "2" }),
  ]);
});

it("leaves the only piece of work in its own units", () => {
  const bytes = finished("writing a", "bytes", 100);
  talk().stage(0, 1).onProgress?.(bytes);
  expect(told()).toEqual([{ type: "progress", progress: bytes }]);
});
