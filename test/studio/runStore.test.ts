import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createStudio } from "#studio/createStudio.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, fakeStudio, PLAN, startStudio, temporaryFolder } from "./helpers.ts";

describe("resuming refuses", () => {
  const started = async () => {
    const setup = fakeStudio();
    const { job, run } = await setup.studio.call("job:sweep", { model: DEMO, plan: PLAN, text: setup.text });
    await waitForJob(setup.studio, job);
    return { ...setup, run };
  };

  it("another model", async () => {
    const { studio, home, run } = await started();
    const other = join(home, "other");
    cpSync(DEMO, other, { recursive: true });
    writeFileSync(
      join(other, "config.json"),
      JSON.stringify({ ...(JSON.parse(configText(other)) as object), rms_norm_eps: 1e-4 }),
    );
    await expect(studio.call("run:resume", { run, model: other })).rejects.toMatchObject({
      code: "run/other-model",
    });
  });

  it("another plan", async () => {
    const { studio, run } = await started();
    const plan = { ...PLAN, grid: { ...PLAN.grid, bits: [2] } };
    await expect(studio.call("run:resume", { run, plan })).rejects.toMatchObject({ code: "run/other-plan" });
  });

  it("another judge", async () => {
    const { studio, run } = await started();
    await expect(
      studio.call("run:resume", { run, plan: { ...PLAN, judge: { tokens: 99 } } }),
    ).rejects.toMatchObject({ code: "run/other-judge" });
  });

  it("another text, and the same file with other words", async () => {
    const { studio, home, run, text } = await started();
    const other = join(home, "other.txt");
    writeFileSync(other, "Other words.");
    await expect(studio.call("run:resume", { run, text: other })).rejects.toMatchObject({
      code: "run/other-text",
    });
    writeFileSync(text, "Changed words.");
    await expect(studio.call("run:resume", { run })).rejects.toMatchObject({ code: "run/other-text" });
  });

  it("but accepts the same model, plan and text named again", async () => {
    const { studio, run, text } = await started();
    await waitForJob(studio, (await studio.call("run:resume", { run, model: DEMO, plan: PLAN, text })).job);
    expect((await studio.call("run:get", { run })).summary.status).toBe("done");
  });

  it("a run that is not there", async () => {
    const { studio } = fakeStudio();
    await expect(studio.call("run:resume", { run: "nowhere" })).rejects.toMatchObject({
      code: "run/unknown",
    });
  });
});

describe("the store's file", () => {
  it("that is no database is refused with one sentence", () => {
    const home = temporaryFolder();
    writeFileSync(join(home, "keystone.sqlite"), "this is not a database, whatever its name says".repeat(20));
    expect(() => createStudio({ home })).toThrow(expect.objectContaining({ code: "store/corrupt" }));
  });

  it("of a newer version is refused and left alone", () => {
    const home = temporaryFolder();
    const database = new DatabaseSync(join(home, "keystone.sqlite"));
    database.exec("PRAGMA user_version = 999");
    database.close();
    expect(() => createStudio({ home })).toThrow(expect.objectContaining({ code: "store/newer" }));
  });

  it("in a place that is a file is refused", () => {
    const home = join(temporaryFolder(), "file");
    writeFileSync(home, "");
    expect(() => createStudio({ home })).toThrow(expect.objectContaining({ code: "store/unwritable" }));
  });

  it("may be opened by two studios at once: what one keeps the other reads", async () => {
    const home = temporaryFolder();
    const first = startStudio({ home });
    const second = startStudio({ home });
    await first.call("settings:set", { theme: "dark" });
    expect((await second.call("settings:get", {})).theme).toBe("dark");
    const { id } = await second.call("plan:save", { name: "mine", plan: PLAN });
    expect((await first.call("plan:list", {})).find((plan) => plan.id === id)).toMatchObject({
      name: "mine",
      plan: PLAN,
      preset: false,
    });
  });
});

it("a change of one setting leaves the others as they are; overrides are not kept", async () => {
  const home = temporaryFolder();
  const studio = startStudio({ home, overrides: { device: "cpu" } });
  await studio.call("settings:set", { workers: 3 });
  await studio.call("settings:set", { theme: "light" });
  expect(await studio.call("settings:get", {})).toMatchObject({ workers: 3, theme: "light", device: "cpu" });
  await studio.close();
  expect(await startStudio({ home }).call("settings:get", {})).toMatchObject({ workers: 3, device: "auto" });
});

function configText(folder: string): string {
  return readFileSync(join(folder, "config.json"), "utf8");
}
