import { join } from "node:path";
import { expect, it } from "vitest";
import { parsePlan } from "#shared/plan.ts";
import { presets } from "./presets.ts";
import { summarizeModel } from "./summarizeModel.ts";

const DEMO = join(import.meta.dirname, "../../resources/demo-model/model");

it("ships plans that parse, each with a name and a description", () => {
  for (const { plan, name, description, preset } of presets(null)) {
    expect(parsePlan(plan).recipes.length).toBeGreaterThan(1);
    expect([name, description].every((text) => text.length > 5)).toBe(true);
    expect(preset).toBe(true);
  }
});

it("names only group sizes that divide the model's rows", async () => {
  const plan = presets(await summarizeModel(DEMO)).find(({ id }) => id === "preset:vllm")?.plan;
  const blocks = parsePlan(plan).recipes.map((recipe) => recipe.block);
  // 704 = 5.5 × 128: the demo model's MLP rows do not divide by 128.
  expect(new Set(blocks)).toEqual(new Set(["group:64", "group:32"]));
});
