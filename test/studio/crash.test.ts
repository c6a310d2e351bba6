import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, FAKE_WORKER, fakeStudio, PLAN, tally, temporaryFolder, VARIANTS } from "./helpers.ts";

/** Starts a sweep in another process; resolves with its run once `count` variants are done there. */
async function sweepElsewhere(home: string, count: number): Promise<{ child: ChildProcess; run: string }> {
  const text = join(home, "text.txt");
  writeFileSync(text, "Some words to score.");
  const setup = JSON.stringify({ home, workerFile: FAKE_WORKER, model: DEMO, text, plan: PLAN });
  const child = spawn(process.execPath, [join(import.meta.dirname, "sweepProcess.ts"), setup], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, FAKE_STEP_MS: "20", NODE_OPTIONS: "" },
  });
  let run = "";
  let done = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("run ")) run = line.slice(4);
    else if (line === "done" && ++done >= count) break;
  }
  return { child, run };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

it("a run survives kill -9: finished variants are kept as they are, the others are scored on resuming", async () => {
  const home = temporaryFolder();
  const { child, run } = await sweepElsewhere(home, 3);
  const { studio } = fakeStudio({ home });
  expect((await studio.call("run:get", { run })).summary.status).toBe("running");
  await kill(child);

  const before = await studio.call("run:get", { run });
  expect(before.summary.status).toBe("interrupted");
  const finished = before.results.filter(({ status }) => status === "done");
  expect(finished.length).toBeGreaterThanOrEqual(3);
  expect(finished.length).toBeLessThan(VARIANTS);
  expect(before.results.filter(({ status }) => status === "running")).toEqual([]);
  for (const { id } of finished) expect((await studio.call("run:variant", { run, variant: id })).id).toBe(id);

  await waitForJob(studio, (await studio.call("run:resume", { run })).job);
  const after = await studio.call("run:get", { run });
  expect(tally(after)).toEqual({ done: VARIANTS });
  const same = after.results.filter(({ id }) => finished.some((it) => it.id === id));
  expect(same).toEqual(finished);
  expect(after.seconds).toBeGreaterThan(before.seconds);
});

it("another studio reads a run while its process writes it, and may neither resume nor delete it", async () => {
  const home = temporaryFolder();
  const { child, run } = await sweepElsewhere(home, 1);
  const { studio } = fakeStudio({ home });
  const detail = await studio.call("run:get", { run });
  expect(detail.summary).toMatchObject({ id: run, status: "running", total: VARIANTS });
  expect(detail.baseline?.perplexity).toBe(2);
  expect((await studio.call("run:list", {})).map(({ id }) => id)).toEqual([run]);
  await expect(studio.call("run:resume", { run })).rejects.toMatchObject({ code: "run/in-use" });
  await expect(studio.call("run:delete", { run })).rejects.toMatchObject({ code: "run/in-use" });
  await kill(child);
  await studio.call("run:delete", { run });
  expect(await studio.call("run:list", {})).toEqual([]);
});
