import { expect, it } from "vitest";
import type { JobView } from "#shared/contract/job.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, eventOf, fakeStudio, PLAN } from "./helpers.ts";

it("jobs that wait run in the order that a person gives them, and every window is told", async () => {
  process.env["FAKE_STEP_MS"] = "20";
  const { studio, text } = fakeStudio();
  const ended: string[] = [];
  studio.on(({ event }) => {
    if (event.type === "job" && event.job.status === "done" && !ended.includes(event.job.id))
      ended.push(event.job.id);
  });
  const started = [];
  for (const bits of [4, 5, 6, 7])
    started.push(
      await studio.call("job:sweep", {
        model: DEMO,
        plan: { ...PLAN, grid: { bits: [bits], granularity: ["tensor"] } },
        text,
      }),
    );
  const [a, b, c, d] = started.map(({ job }) => job) as [string, string, string, string];
  const order = async (): Promise<(string | undefined)[]> => {
    const jobs: JobView[] = await studio.call("job:list", {});
    return [0, 1, 2, 3].map((turn) => jobs.find((job) => job.turn === turn)?.id);
  };
  expect(await order()).toEqual([a, b, c, d]);
  const told = eventOf(studio, (event) => event.type === "job" && event.job.id === d && event.job.turn === 2);
  await studio.call("job:move", { job: d, direction: "up" });
  await told;
  await studio.call("job:move", { job: d, direction: "up" });
  await studio.call("job:move", { job: d, direction: "up" });
  await studio.call("job:move", { job: b, direction: "down" });
  expect(await order()).toEqual([a, d, c, b]);
  await studio.call("job:cancel", { job: c });
  await Promise.all([a, b, d].map((job) => waitForJob(studio, job)));
  expect(ended).toEqual([a, d, b]);
  await expect(studio.call("job:move", { job: a, direction: "up" })).rejects.toMatchObject({
    code: "job/not-waiting",
  });
  expect((await studio.call("job:list", {})).every(({ turn }) => turn === undefined)).toBe(true);
});
