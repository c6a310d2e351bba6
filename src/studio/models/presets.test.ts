import { join } from "node:path";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { exportFormat } from "#shared/exporting.ts";
import { expect, it } from "vitest";
import { parsePlan } from "#shared/plan.ts";
import { presets } from "./presets.ts";
import { summarizeModel, withCheckpoint } from "../context/summarizeModel.ts";
import { targetProblems } from "../sweep/target.ts";

const DEMO = join(import.meta.dirname, "../../../resources/demo-model/model");

it("ships plans that parse, each with a name and a description", () => {
  for (const { plan, name, description, preset } of presets(null)) {
    expect(parsePlan(plan).recipes.length).toBeGreaterThan(1);
    expect([name, description].every((text) => text.length > 5)).toBe(true);
    expect(preset).toBe(true);
  }
});

it("names only group sizes that divide the model's rows", async () => {
  const plan = presets(await summarizeModel(DEMO)).find(({ id }) => id === "preset:vllm")?.plan;
  const granularities = parsePlan(plan).recipes.map((recipe) => recipe.granularity);
  // 704 = 5.5 × 128: the demo model's MLP rows do not divide by 128.
  expect(new Set(granularities)).toEqual(new Set(["group:64", "group:32"]));
});

it("has one for each packed format, and that format holds every recipe of it", async () => {
  const plans = presets(await summarizeModel(DEMO)).map(({ plan }) => parsePlan(plan));
  const aimed = plans.flatMap((plan) => (plan.target === null ? [] : [{ ...plan, target: plan.target }]));
  expect(aimed.map(({ target }) => target).sort()).toEqual(
    exportFormat.options.filter((format) => format !== "safetensors").sort(),
  );
  await withCheckpoint(DEMO, (checkpoint) => {
    const model = { checkpoint, architecture: architectureOf(checkpoint), superWeights: [] };
    for (const { target, recipes } of aimed) expect(targetProblems(model, target, recipes)).toEqual([]);
  });
});
