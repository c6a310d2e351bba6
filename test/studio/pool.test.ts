import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { cancel, createControl } from "#worker/protocol/control.ts";
import { judge } from "#shared/plan.ts";
import { WorkerPool } from "#studio/jobs/pool.ts";
import { summarizeModel } from "#studio/context/summarizeModel.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, fakeStudio, PLAN, startStudio, tally, temporaryFolder, untilDone } from "./helpers.ts";

const WORKER = join(import.meta.dirname, "../../src/worker/worker.ts");
const TEXT = join(dirname(DEMO), "eval.jsonl");

it("the real worker that dies in a wave is replaced and the sweep ends complete", async () => {
  process.env["FAKE_MARK"] = join(temporaryFolder(), "mark");
  const studio = startStudio({
    home: temporaryFolder(),
    workerFile: join(import.meta.dirname, "dyingWorker.ts"),
    overrides: { device: "cpu", workers: 2 },
  });
  const plan = {
    base: { scheme: "affine", bits: 4 },
    grid: { granularity: ["group:64", "channel", "tensor", "flat:4096"] },
    judge: { tokens: 500 },
  };
  const { job, run } = await studio.call("job:sweep", { model: DEMO, plan, text: TEXT });
  await waitForJob(studio, job);
  expect(existsSync(process.env["FAKE_MARK"])).toBe(true);
  const detail = await studio.call("run:get", { run });
  expect(tally(detail)).toEqual({ done: 4 });
  expect(detail.results.some(({ attempts }) => attempts === 2)).toBe(true);
});

it("pools with the runtime start, work in every thread and end, again and again", async () => {
  const { revision } = await summarizeModel(DEMO);
  const model = { path: DEMO, revision, device: "cpu", threads: 1 } as const;
  const score = (pool: WorkerPool) =>
    pool.run(
      "baseline",
      { model, text: TEXT, judge: judge.parse({ tokens: 200 }), calibration: null },
      { control: createControl() },
    );
  const perplexities = new Set<number | null>();
  for (let round = 0; round < 5; round++) {
    const pool = new WorkerPool({ workerFile: WORKER, workers: 3 });
    const results = await Promise.all(Array.from({ length: 6 }, () => score(pool)));
    for (const { original } of results) perplexities.add(original.scores.perplexity);
    await pool.close();
  }
  expect(perplexities.size).toBe(1);
});

it("a pool that is closed in the middle of the work ends, and its tasks with it", async () => {
  const { revision } = await summarizeModel(DEMO);
  const model = { path: DEMO, revision, device: "cpu", threads: 1 } as const;
  for (let round = 0; round < 3; round++) {
    const pool = new WorkerPool({ workerFile: WORKER, workers: 2 });
    const tasks = Promise.allSettled(
      [1, 2].map(() =>
        pool.run(
          "baseline",
          { model, text: TEXT, judge: judge.parse({}), calibration: null },
          { control: createControl() },
        ),
      ),
    );
    await sleep(300 * round);
    await pool.close();
    expect((await tasks).every(({ status }) => status === "rejected")).toBe(true);
  }
});

it("a task of a job that is cancelled already does not start", async () => {
  const pool = new WorkerPool({ workerFile: WORKER, workers: 1 });
  const control = createControl();
  cancel(control);
  await expect(pool.run("probe", { device: "cpu", threads: 1 }, { control })).rejects.toMatchObject({
    code: "job/cancelled",
  });
  await pool.close();
});

it("errors keep their code and fields on the way from a worker", async () => {
  const pool = new WorkerPool({ workerFile: WORKER, workers: 1 });
  await expect(
    pool.run("statistics", { path: DEMO, name: "nothing" }, { control: createControl() }),
  ).rejects.toMatchObject({
    name: "KeystoneError",
    code: "checkpoint/no-such-tensor",
    details: { name: "nothing" },
  });
  await pool.close();
});

it("a task that does not heed its cancelling loses its thread, and the run is consistent", async () => {
  process.env["FAKE_DEAF"] = "1";
  process.env["FAKE_STEP_MS"] = "20";
  const { studio, text } = fakeStudio();
  const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
  await untilDone(studio, run, 4);
  await sleep(300); // both workers are in their second wave by now
  await studio.call("job:cancel", { job });
  await expect(waitForJob(studio, job)).rejects.toMatchObject({ code: "job/cancelled" });
  const { done = 0, cancelled = 0, ...others } = tally(await studio.call("run:get", { run }));
  expect(others).toEqual({});
  expect(done + cancelled).toBe(21);
});

/** A worker that answers at once. */
const ANSWERING = `export default ({ port }) => {
  port.postMessage({ type: "end" });
  return { ok: true, value: { used: "cpu" } };
};`;

it.each<[string, string | null, RegExp]>([
  ["does not exist", null, /worker's program should be in .*worker\.ts, and that file does not exist\.$/],
  [
    "cannot be loaded",
    "throw new Error('half a file')",
    /could not be loaded from .*worker\.ts: half a file\.$/,
  ],
])("every task fails, and none waits for ever, where the worker's file %s", async (_, content, message) => {
  const workerFile = join(temporaryFolder(), "worker.ts");
  if (content !== null) writeFileSync(workerFile, content);
  const pool = new WorkerPool({ workerFile, workers: 2 });
  const probe = () => pool.run("probe", { device: "cpu", threads: 1 }, { control: createControl() });
  const expected = {
    status: "rejected",
    reason: {
      code: "worker/not-started",
      message: expect.stringMatching(message) as string,
      next: expect.stringContaining("Install Keystone again") as string,
      details: { file: workerFile },
    },
  };
  const [one, two, three] = await Promise.allSettled([probe(), probe(), probe()]);
  for (const outcome of [one, two, three]) expect(outcome).toMatchObject(expected);
  // and once the file is there, the same pool works
  writeFileSync(workerFile, ANSWERING);
  expect(await probe()).toMatchObject({ used: "cpu" });
  await pool.close();
});
