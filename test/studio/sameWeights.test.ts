import { textsOf } from "#shared/notes.ts";
import { describe, expect, it } from "vitest";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, fakeStudio } from "./helpers.ts";

const PLAN = {
  base: { scheme: "affine", bits: 4 },
  grid: {
    granularity: ["group:64", "flat:4096"],
    range: [{ method: "zscore", threshold: 9 }, { method: "zscore", threshold: 5 }, null],
  },
  judge: { tokens: 100 },
};

describe("variants that make the same weights", () => {
  it("are scored once; the others take the scores, say whose, and are no rivals", async () => {
    process.env["FAKE_SAME_Z"] = "9";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const { results, summary, best, pareto } = await studio.call("run:get", { run });
    expect(summary).toMatchObject({ status: "done", done: 6, failed: 0 });
    const same = results.filter(({ sameAs }) => sameAs !== undefined);
    expect(same.map(({ label }) => label)).toEqual(["affine4, group 64, z 9", "affine4, flat 4,096, z 9"]);
    for (const twin of same) {
      const scored = results.find(({ id }) => id === twin.sameAs);
      expect(scored?.label).toBe(twin.label.replace(", z 9", ""));
      expect(twin).toMatchObject({
        perplexity: scored?.perplexity,
        kl: scored?.kl,
        seconds: 0,
        worker: null,
      });
      expect((await studio.call("run:variant", { run, variant: twin.id })).id).toBe(twin.id);
      expect([best, summary.best, ...pareto]).not.toContain(twin.id);
    }
    const { content } = await studio.call("report:make", { runs: [run], format: "markdown" });
    expect(content).toContain("affine4, group 64, z 9 (same weights as affine4, group 64)");
  });

  it("fail together, and are scored when they are tried again", async () => {
    process.env["FAKE_SAME_Z"] = "9";
    process.env["FAKE_FAIL_BITS"] = "4";
    const { studio, text } = fakeStudio();
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const failed = (await studio.call("run:get", { run })).summary;
    expect(failed).toMatchObject({ done: 0, failed: 6 });
  });

  it("are counted before the start, where blocks alone decide it", async () => {
    const { studio, text } = fakeStudio();
    const estimate = await studio.call("sweep:estimate", { model: DEMO, plan: PLAN, text });
    expect(estimate).toMatchObject({ variants: 6, same: 1 });
    expect(textsOf(estimate.notes)).toContain(
      "1 variant makes the same weights as another (“affine4, group 64, z 9” those of “affine4, group 64”) and is not scored again.",
    );
  });
});
