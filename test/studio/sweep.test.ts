import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, eventOf, fakeStudio, PLAN, tally, temporaryFolder, untilDone, VARIANTS } from "./helpers.ts";

describe("a sweep", () => {
  it("scores every variant of its plan once and names the best", async () => {
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const detail = await studio.call("run:get", { run });
    expect(tally(detail)).toEqual({ done: VARIANTS });
    expect(detail.results.every(({ attempts, finishedAt }) => attempts === 1 && finishedAt !== null)).toBe(
      true,
    );
    expect(detail.results.map(({ index }) => index)).toEqual(Array.from({ length: VARIANTS }, (_, i) => i));
    expect(detail.summary).toMatchObject({
      status: "done",
      done: VARIANTS,
      failed: 0,
      total: VARIANTS,
      best: detail.best,
    });
    expect(detail.results.find(({ id }) => id === detail.best)?.recipe.bits).toBe(8);
    expect(detail.baseline?.perplexity).toBe(2);
    expect(await studio.call("job:result", { job })).toEqual({ kind: "sweep", run });
    const variant = detail.results[0]?.id ?? "";
    expect((await studio.call("run:variant", { run, variant })).layers).toEqual([
      { layer: 0, relative: 0.5 },
    ]);
  });

  it("that is complete keeps how it was computed when somebody goes on with it", async () => {
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text, workers: 2 });
    await waitForJob(studio, job);
    const before = await studio.call("run:get", { run });
    await waitForJob(studio, (await studio.call("run:resume", { run, workers: 1 })).job);
    const { workers, threadsPerWorker, results } = await studio.call("run:get", { run });
    expect({ workers, threadsPerWorker }).toEqual({
      workers: before.workers,
      threadsPerWorker: before.threadsPerWorker,
    });
    expect(before.workers).toBe(2);
    expect(results).toEqual(before.results);
  });

  it("tells results in batches, lanes, the baseline and how far it is, without a jump to the end", async () => {
    process.env["FAKE_STEP_MS"] = "4";
    const { studio, text } = fakeStudio();
    const seen = { results: 0, batches: 0, lanes: 0, baseline: 0, fractions: [] as number[] };
    studio.on(({ event }) => {
      if (event.type === "variants") {
        seen.batches++;
        seen.results += event.results.filter(({ status }) => status === "done").length;
      }
      if (event.type === "lanes") seen.lanes++;
      if (event.type === "baseline") seen.baseline++;
      if (event.type === "job" && event.job.progress)
        seen.fractions.push(event.job.progress.done / event.job.progress.total);
    });
    const { job } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    expect(seen.results).toBe(VARIANTS);
    expect(seen.batches).toBeLessThanOrEqual(2 * VARIANTS);
    expect(seen.lanes).toBeGreaterThan(1);
    expect(seen.baseline).toBe(1);
    expect(seen.fractions.slice(0, 2).every((fraction) => fraction < 0.5)).toBe(true);
    expect(seen.fractions.every((fraction, i) => fraction >= (seen.fractions[i - 1] ?? 0))).toBe(true);
    expect(seen.fractions.at(-1)).toBe(1);
  });

  it("gives events again to who missed them", async () => {
    const { studio, text } = fakeStudio();
    const heard: unknown[] = [];
    studio.on((event) => heard.push(event));
    const { job } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const { events, seq, complete } = await studio.call("events:since", { seq: 0 });
    expect(complete).toBe(true);
    expect(events).toEqual(heard);
    expect(seq).toBe(heard.length);
  });

  it("keeps a variant that fails as a row with its reason, and goes on", async () => {
    process.env["FAKE_FAIL_BITS"] = "3";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const detail = await studio.call("run:get", { run });
    expect(tally(detail)).toEqual({ done: 18, failed: 3 });
    expect(
      detail.results.filter(({ status }) => status === "failed").map(({ error }) => error?.code),
    ).toEqual(Array(3).fill("quantize/made-up"));
  });

  it("scores failed variants again on request, and only them", async () => {
    process.env["FAKE_FAIL_BITS"] = "3";
    const { studio, home, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const before = await studio.call("run:get", { run });
    await studio.close();
    delete process.env["FAKE_FAIL_BITS"];

    const second = fakeStudio({ home }).studio;
    const failed = before.results.filter(({ status }) => status === "failed").map(({ id }) => id);
    const retry = await second.call("run:retry", { run, variants: failed });
    await waitForJob(second, retry.job);
    const after = await second.call("run:get", { run });
    expect(tally(after)).toEqual({ done: VARIANTS });
    const untouched = (results: typeof before.results): unknown[] =>
      results.filter(({ id }) => !failed.includes(id));
    expect(untouched(after.results)).toEqual(untouched(before.results));
  });
});

describe("a worker that dies", () => {
  it("is replaced, and the variants of its wave are scored again", async () => {
    const marks = temporaryFolder();
    process.env["FAKE_DIE_BITS"] = "4";
    process.env["FAKE_DIE_ONCE"] = marks;
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const detail = await studio.call("run:get", { run });
    expect(readdirSync(marks).length).toBeGreaterThan(0);
    expect(tally(detail)).toEqual({ done: VARIANTS });
    expect(detail.results.some(({ attempts }) => attempts === 2)).toBe(true);
  });

  it("twice over the same variant makes that variant a failed row; its wave mates are done", async () => {
    process.env["FAKE_DIE_BITS"] = "4";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const detail = await studio.call("run:get", { run });
    expect(tally(detail)).toEqual({ done: 18, failed: 3 });
    for (const result of detail.results) {
      expect(result.status).toBe(result.recipe.bits === 4 ? "failed" : "done");
      if (result.recipe.bits === 4)
        expect(result).toMatchObject({ attempts: 2, error: { code: "worker/died-twice" } });
    }
  });
});

describe("steering a sweep", () => {
  it("stands still while paused and ends complete after it goes on", async () => {
    process.env["FAKE_STEP_MS"] = "10";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await untilDone(studio, run, 2);
    await studio.call("job:pause", { job });
    expect((await studio.call("run:get", { run })).summary.status).toBe("paused");
    await sleep(100); // results already on their way
    const paused = tally(await studio.call("run:get", { run }));
    await sleep(300);
    expect(tally(await studio.call("run:get", { run }))).toEqual(paused);
    expect(paused.done).toBeLessThan(VARIANTS);

    await studio.call("job:resume", { job });
    await waitForJob(studio, job);
    const detail = await studio.call("run:get", { run });
    expect(tally(detail)).toEqual({ done: VARIANTS });
    expect(detail.results.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it("lets another job run while it is paused, and waits for its turn afterwards", async () => {
    process.env["FAKE_STEP_MS"] = "10";
    const { studio, text } = fakeStudio();
    const first = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await untilDone(studio, first.run, 1);
    const second = await studio.call("job:sweep", {
      model: DEMO,
      plan: { ...PLAN, grid: { ...PLAN.grid, bits: [2, 3] } },
      text,
    });
    expect((await studio.call("job:list", {}))[0]).toMatchObject({ id: second.job, status: "waiting" });
    await studio.call("job:pause", { job: first.job });
    await waitForJob(studio, second.job);
    expect((await studio.call("run:get", { run: first.run })).summary.status).toBe("paused");
    await studio.call("job:resume", { job: first.job });
    await waitForJob(studio, first.job);
  });

  it("leaves finished variants done and the others cancelled; the run can be resumed", async () => {
    process.env["FAKE_STEP_MS"] = "10";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await untilDone(studio, run, 2);
    await studio.call("job:cancel", { job });
    await expect(waitForJob(studio, job)).rejects.toThrow(/cancelled/);
    const cancelled = await studio.call("run:get", { run });
    expect(cancelled.summary.status).toBe("cancelled");
    const counts = tally(cancelled);
    expect(counts.running ?? 0).toBe(0);
    expect(counts.waiting ?? 0).toBe(0);
    expect((counts.done ?? 0) + (counts.cancelled ?? 0)).toBe(VARIANTS);

    const resumed = await studio.call("run:resume", { run });
    await waitForJob(studio, resumed.job);
    const detail = await studio.call("run:get", { run });
    expect(tally(detail)).toEqual({ done: VARIANTS });
    const done = cancelled.results.filter(({ status }) => status === "done");
    expect(detail.results.filter(({ id }) => done.some((it) => it.id === id))).toEqual(done);
  });

  it("cancels while paused", async () => {
    process.env["FAKE_STEP_MS"] = "10";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await untilDone(studio, run, 1);
    await studio.call("job:pause", { job });
    await studio.call("job:cancel", { job });
    await expect(waitForJob(studio, job)).rejects.toThrow(/cancelled/);
    expect((await studio.call("run:get", { run })).summary.status).toBe("cancelled");
  });

  it("cancels a sweep that waits for its turn", async () => {
    process.env["FAKE_STEP_MS"] = "10";
    const { studio, text } = fakeStudio();
    const first = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    const second = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await studio.call("job:cancel", { job: second.job });
    await expect(waitForJob(studio, second.job)).rejects.toThrow(/cancelled/);
    expect((await studio.call("run:get", { run: second.run })).summary.status).toBe("cancelled");
    await waitForJob(studio, first.job);
  });

  it("closes in mid-sweep: the run is interrupted and another studio goes on with it", async () => {
    process.env["FAKE_STEP_MS"] = "10";
    const { studio, home, text } = fakeStudio();
    const { run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    const heard = eventOf(studio, (event) => event.type === "run" && event.run.status === "interrupted");
    await untilDone(studio, run, 2);
    await studio.close();
    await heard;
    const second = fakeStudio({ home }).studio;
    const before = await second.call("run:get", { run });
    expect(before.summary.status).toBe("interrupted");
    await waitForJob(second, (await second.call("run:resume", { run })).job);
    expect(tally(await second.call("run:get", { run }))).toEqual({ done: VARIANTS });
  });
});
