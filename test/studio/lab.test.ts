import { describe, expect, it } from "vitest";
import type { LabReport } from "#shared/lab/index.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import type { Studio } from "#studio/context/studio.ts";
import { DEMO, eventOf, fakeStudio, PLAN } from "./helpers.ts";

async function keep(studio: Studio, text: string): Promise<string> {
  const { job } = await studio.call("job:lab", {
    model: DEMO,
    request: { experiment: "sensitivity", text, factors: [0, 1] },
  });
  await waitForJob(studio, job);
  const result = await studio.call("job:result", { job });
  if (result.kind !== "lab") throw new Error(`The job ended as ${result.kind}.`);
  return result.id;
}

describe("an experiment", () => {
  it("tells its report on the way in few events, and is kept, listed, read and deleted", async () => {
    const { studio, text } = fakeStudio();
    const told: LabReport[] = [];
    studio.on(({ event }) => event.type === "lab-report" && told.push(event.report));
    const id = await keep(studio, text);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(20);
    const [summary] = await studio.call("lab:list", {});
    expect(summary).toMatchObject({ id, experiment: "sensitivity", model: DEMO });
    expect(await studio.call("lab:list", { experiment: "importance" })).toEqual([]);
    expect(await studio.call("lab:get", { id })).toMatchObject({
      request: { factors: [0, 1], text },
      report: { experiment: "sensitivity", superWeights: [[1, 137, 401]] },
    });
    await studio.call("lab:delete", { id });
    expect(await studio.call("lab:list", {})).toEqual([]);
    await expect(studio.call("lab:get", { id })).rejects.toMatchObject({ code: "lab/unknown" });
  });
});

describe("a cancelled experiment", () => {
  /** Starts sensitivity, whose rows take a while, and cancels it once it has told of so many rows. */
  async function cancelAfter(studio: Studio, text: string, rows: number): Promise<string> {
    const { job } = await studio.call("job:lab", {
      model: DEMO,
      request: { experiment: "sensitivity", text },
    });
    await eventOf(
      studio,
      (event) =>
        event.type === "lab-report" && event.job === job && (event.report.reached?.done ?? 0) >= rows,
    );
    await studio.call("job:cancel", { job });
    await expect(waitForJob(studio, job)).rejects.toMatchObject({ code: "job/cancelled" });
    return job;
  }

  it("keeps the rows it had measured, marked, in the job's result, the list and the store", async () => {
    process.env["FAKE_LAB_MS"] = "60";
    const { studio, text } = fakeStudio();
    const result = await studio.call("job:result", { job: await cancelAfter(studio, text, 2) });
    if (result.kind !== "lab" || result.report.experiment !== "sensitivity") throw new Error("another kind");
    const { points, finding, cancelled, complete } = result.report;
    expect({ cancelled, complete }).toEqual({ cancelled: true, complete: false });
    expect(points.length).toBeGreaterThanOrEqual(2);
    expect(finding).toEqual({ code: "lab/stopped", text: `Stopped after ${points.length} of 6 rows.` });
    expect(await studio.call("lab:list", {})).toMatchObject([{ id: result.id, cancelled: true, finding }]);
    expect(await studio.call("lab:get", { id: result.id })).toMatchObject({
      summary: { cancelled: true },
      report: { cancelled: true, points },
    });
    const { content } = await studio.call("report:make", { lab: [result.id], format: "markdown" });
    expect(content).toContain(finding.text);
    expect(content).toContain(`Cancelled: after ${points.length} of 6 rows`);
  });

  it("that fails instead keeps its rows too, with the reason", async () => {
    process.env["FAKE_LAB_MS"] = "20";
    process.env["FAKE_LAB_FAIL"] = "3";
    const { studio, text } = fakeStudio();
    const { job } = await studio.call("job:lab", {
      model: DEMO,
      request: { experiment: "sensitivity", text },
    });
    await expect(waitForJob(studio, job)).rejects.toMatchObject({ code: "text/read-failed" });
    const [kept] = await studio.call("lab:list", {});
    const finding = { code: "lab/failed", text: "Failed after 3 of 6 rows: The text cannot be read." };
    expect(kept).toMatchObject({ cancelled: false, failed: true, finding });
    const { report } = await studio.call("lab:get", { id: kept?.id ?? "" });
    expect(report).toMatchObject({ failed: "The text cannot be read.", complete: false });
    expect(report.experiment === "sensitivity" && report.points).toHaveLength(3);
    const { content } = await studio.call("report:make", { lab: [kept?.id ?? ""], format: "markdown" });
    expect(content).toContain("Failed: after 3 of 6 rows");
  });

  it("keeps nothing where nothing was measured", async () => {
    process.env["FAKE_LAB_MS"] = "200";
    const { studio, text } = fakeStudio();
    const job = await cancelAfter(studio, text, 0);
    await expect(studio.call("job:result", { job })).rejects.toMatchObject({ code: "job/cancelled" });
    expect(await studio.call("lab:list", {})).toEqual([]);
  });
});

describe("a report", () => {
  it("is about the runs and experiments named, with the model as it lies there and its super weights", async () => {
    const { studio, text } = fakeStudio({ demoModel: DEMO, version: "1.2.3" });
    const lab = await keep(studio, text);
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan: PLAN, text });
    await waitForJob(studio, job);
    const { name, content } = await studio.call("report:make", {
      runs: [run],
      lab: [lab, lab],
      format: "markdown",
      title: "For the board",
    });
    expect(name).toMatch(/^keystone-demo-model-\d{4}-\d\d-\d\d\.md$/);
    expect(content).toMatch(/^# For the board\n\nKeystone 1\.2\.3 · /);
    expect(content).toContain("LlamaForCausalLM, 6 layers");
    expect(content).toContain("Parameters: 4,951,296 (5.0 M)");
    expect(content).toContain("| Super weight | – | – | – | – | – | – | 10.8 | 100.3% | 1.9004 |");
    expect(content).toContain("its super weight was seeded before training");
    expect(content.match(/^## Sensitivity/gm)).toHaveLength(1);
    expect(content.replaceAll(" \\\n  ", " ")).toContain(
      `keystone lab sensitivity ${DEMO} --text ${text} --factors 0,1`,
    );
    const html = await studio.call("report:make", { runs: [run], format: "html" });
    expect(html.name).toMatch(/\.html$/);
    expect(html.content).toMatch(/^<!doctype html>/);
    expect(html.content).toContain("Plotly");
  });

  it("needs something to be about, and names what it does not know", async () => {
    const { studio } = fakeStudio();
    await expect(studio.call("report:make", {})).rejects.toMatchObject({ code: "usage/nothing-to-report" });
    await expect(studio.call("report:make", { runs: ["r"] })).rejects.toMatchObject({ code: "run/unknown" });
    await expect(studio.call("report:make", { lab: ["l"] })).rejects.toMatchObject({ code: "lab/unknown" });
  });
});
