import { expect, it } from "vitest";
import type { JobView } from "#shared/contract/job.ts";
import { queueOf } from "./queue.ts";

function job(id: string, status: JobView["status"], turn?: number): JobView {
  return {
    ...{
      id,
      kind: "detect",
      title: id,
      model: null,
      run: null,
      status,
      progress: null,
      seconds: 0,
      error: null,
    },
    ...(turn !== undefined && { turn }),
    created: `2026-01-01T00:00:0${id.length}.000Z`,
  };
}

it("lists what runs, what is paused and what waits, in its order", () => {
  const jobs = [
    job("second", "waiting", 2),
    job("paused", "paused"),
    job("first", "waiting", 1),
    job("runs", "running", 0),
  ];
  expect(queueOf(jobs).map(({ id }) => id)).toEqual(["runs", "paused", "first", "second"]);
});
