import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { expectSum, float64Bound } from "../support/rounding.ts";
import { DEMO, fakeStudio, startStudio, tally, temporaryFolder } from "./helpers.ts";

const TEXT = join(dirname(DEMO), "eval.jsonl");
const CALIBRATION = join(dirname(DEMO), "calibration.jsonl");
const WEIGHTS = { scheme: "int", bits: 8, symmetric: true, granularity: "tensor" };
const JUDGE = { tokens: 400 };
/** A share of the NLL: on other threads an activation may round to the next code, and moves all that follow it. */
const A_CODE = 1e-3;
/** Of bits per weight: one scale of two bytes for each of 42 tensors. */
const SCALES = (16 * 42) / 4_423_680;

function recipeOf(method: string, per = "token"): Recipe {
  return parseRecipe({ ...WEIGHTS, activations: { per, method } });
}
const smooth = recipeOf("smoothquant");

/** The demo model where no calibration text lies near. */
function lonelyModel(): string {
  const folder = join(temporaryFolder(), "around", "model");
  mkdirSync(folder, { recursive: true });
  cpSync(DEMO, folder, { recursive: true });
  return folder;
}

describe("a recipe with SmoothQuant", () => {
  it("takes the calibration text beside the judged one, or the one that is named", async () => {
    const studio = startStudio({ home: temporaryFolder(), overrides: { device: "cpu" } });
    const evaluate = async (more: object) => {
      const { job } = await studio.call("job:evaluate", {
        ...{ model: DEMO, recipe: smooth, text: TEXT, judge: JUDGE },
        ...more,
      });
      await waitForJob(studio, job);
      const result = await studio.call("job:result", { job });
      if (result.kind !== "evaluate") throw new Error(result.kind);
      return result.report;
    };
    const found = await evaluate({});
    expect(found.calibration).toBe(CALIBRATION);
    expect((await evaluate({ calibration: CALIBRATION })).nll).toBe(found.nll);
    const other = join(temporaryFolder(), "other.txt");
    writeFileSync(other, "Once there was a crow who counted to nine.");
    const named = await evaluate({ calibration: other });
    expect(named.calibration).toBe(other);
    expect(named.nll).not.toBe(found.nll);
    expect((await evaluate({ recipe: recipeOf("naive") })).calibration).toBeNull();
  });

  it("is refused at once where there is none", async () => {
    const { studio, text } = fakeStudio();
    const model = lonelyModel();
    const refusal = { code: "usage/no-calibration" };
    const plan = { recipes: [smooth], judge: JUDGE };
    await expect(
      studio.call("job:evaluate", { model, recipe: smooth, text, judge: JUDGE }),
    ).rejects.toMatchObject(refusal);
    await expect(
      studio.call("job:compare", { model, recipes: [smooth], text, judge: JUDGE }),
    ).rejects.toMatchObject(refusal);
    await expect(
      studio.call("job:generate", { model, recipes: [smooth], prompt: "A", tokens: 1 }),
    ).rejects.toMatchObject(refusal);
    await expect(studio.call("job:sweep", { model, plan, text })).rejects.toMatchObject(refusal);
    const { problems } = await studio.call("sweep:estimate", { model, plan, text });
    expect(problems).toMatchObject([refusal]);
  });

  it("is refused where the calibration text is the judged one", async () => {
    const { studio, text, home } = fakeStudio();
    const same = join(home, "same.txt");
    cpSync(text, same);
    await expect(
      studio.call("job:evaluate", { model: DEMO, recipe: smooth, text, judge: JUDGE, calibration: same }),
    ).rejects.toMatchObject({ code: "usage/calibration-is-text" });
  });
});

describe("a sweep", () => {
  it("scores W8A8 rows of every method as evaluating each does, super weights and scales found once", async () => {
    const studio = startStudio({
      home: temporaryFolder(),
      overrides: { device: "cpu", workers: 2, threadsPerWorker: 1 },
    });
    const recipes = ["naive", "super-activation", "smoothquant"].map((method) => recipeOf(method));
    const plan = { recipes, judge: JUDGE };
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan, text: TEXT });
    await waitForJob(studio, job);
    const detail = await studio.call("run:get", { run });
    expect(tally(detail)).toEqual({ done: 3 });
    expect(detail).toMatchObject({ calibration: CALIBRATION, superWeights: [[1, 137, 401]] });
    expect(new Set(detail.results.map(({ nll }) => nll)).size).toBe(3);
    for (const { recipe, nll, bitsPerWeight } of detail.results) {
      const evaluated = await studio.call("job:evaluate", { model: DEMO, recipe, text: TEXT, judge: JUDGE });
      await waitForJob(studio, evaluated.job);
      const result = await studio.call("job:result", evaluated);
      if (result.kind !== "evaluate") throw new Error(result.kind);
      expectSum(result.report.nll, nll ?? NaN, A_CODE * (nll ?? NaN));
      expectSum(bitsPerWeight, 8 + SCALES, float64Bound({ magnitude: 8, terms: 42 }));
    }
  });

  it("resumes with its own calibration text only", async () => {
    const { studio, home, text } = fakeStudio();
    const calibration = join(home, "calibration.txt");
    writeFileSync(calibration, "Words to choose scales on.");
    const plan = { recipes: [smooth], judge: JUDGE };
    const { job, run } = await studio.call("job:sweep", { model: DEMO, plan, text, calibration });
    await waitForJob(studio, job);
    const refusal = { code: "run/other-calibration" };
    const other = join(home, "other.txt");
    writeFileSync(other, "Other words.");
    await expect(studio.call("run:resume", { run, calibration: other })).rejects.toMatchObject(refusal);
    const again = join(home, "again.txt");
    cpSync(calibration, again);
    await waitForJob(studio, (await studio.call("run:resume", { run, calibration: again })).job);
    expect((await studio.call("run:get", { run })).calibration).toBe(again);
    writeFileSync(again, "Changed words.");
    await expect(studio.call("run:resume", { run })).rejects.toMatchObject(refusal);
  });
});

it("a recipe's label says how its activations are quantized", () => {
  expect(recipeLabel(recipeOf("super-activation"))).toBe("int8 sym, tensor, W8A8 token, super activation");
  const matmuls = { per: "tensor", method: "smoothquant", matmuls: true, bits: 6 };
  expect(recipeLabel(parseRecipe({ ...WEIGHTS, activations: matmuls }))).toBe(
    "int8 sym, tensor, W8A6 tensor with matmuls, SmoothQuant 0.85",
  );
});
