import { textsOf } from "#shared/notes.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsePlan, parseRecipe } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { demoVariant, demoWindows, openDemo, type Demo } from "../golden-model/demoModel.ts";
import { CALIBRATION, runLab, TEXT, type Conducted } from "./labRun.ts";

const TOKENS = 500;
const REQUEST = { text: TEXT, calibration: CALIBRATION, judge: { tokens: TOKENS }, bits: 3 };

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

/** What a recipe scores on its own, as `eval` scores it. */
async function klOf(recipe: Recipe): Promise<number | null | undefined> {
  const windows = await demoWindows(demo, { tokens: TOKENS });
  const reference = await scoreOriginal({ ...demo, windows });
  const [score] = await scoreWave({
    ...demo,
    windows,
    reference,
    variants: [demoVariant(demo, "found", recipe)],
  });
  return score?.scores?.kl?.mean;
}

function bestClips(report: Conducted<"threshold-search">["report"]): unknown[] {
  return report.trials.filter(({ best }) => best).map(({ range }) => range);
}

describe("one threshold for the model", () => {
  let found: Conducted<"threshold-search">;
  beforeAll(async () => {
    found = await runLab(demo, "threshold-search", {
      ...REQUEST,
      methods: ["zscore"],
      thresholds: [3, 9],
    });
  });

  it("tries no clipping, every candidate, and finer ones around the best", () => {
    const ranges = found.report.trials.map(({ range }) => range);
    expect(ranges.slice(0, 3)).toEqual([
      null,
      { method: "zscore", threshold: 3 },
      { method: "zscore", threshold: 9 },
    ]);
    expect(ranges.length).toBeGreaterThan(4);
    expect(found.report.stopped).toBeNull();
  });

  it("marks the one of least KL on the calibration text, and judges it on the other text", () => {
    const losses = found.report.trials.map(({ loss }) => loss ?? Infinity);
    const best = found.report.trials.filter((trial) => trial.best);
    expect(best.map(({ loss }) => loss)).toEqual([Math.min(...losses)]);
    expect(found.report.result?.calibration.kl?.mean).toBe(best[0]?.loss);
    const { test, plain } = found.report.result ?? {};
    expect((test?.kl?.mean ?? NaN) < 0.2 * (plain?.kl?.mean ?? NaN)).toBe(true);
  });

  it("gives a recipe that parses, alone and in a plan, and scores the reported figure", async () => {
    const written: unknown = JSON.parse(JSON.stringify(found.report.recipe));
    const recipe = parseRecipe(written);
    expect(recipe).toEqual(found.report.recipe);
    expect(recipe.restore).toEqual([[1, 137, 401]]);
    expect(parsePlan({ recipes: [written] }).recipes).toEqual([recipe]);
    expect([recipe.range]).toEqual(bestClips(found.report));
    expect(await klOf(recipe)).toBe(found.report.result?.test.kl?.mean);
  });

  it("tells the trials as they come, with one progress", () => {
    expect(found.told[0]?.trials).toHaveLength(1);
    expect(found.told.at(-1)?.trials).toHaveLength(found.report.trials.length);
    const done = found.progress.map((at) => at.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(found.progress.at(-1)?.secondsLeft).toBe(0);
  });

  it("ends after as many trials as asked, with the best so far", async () => {
    const { report } = await runLab(demo, "threshold-search", {
      ...REQUEST,
      methods: ["zscore"],
      thresholds: [5, 9],
      maxTrials: 2,
    });
    expect(report.trials).toHaveLength(2);
    expect(report.stopped).toBe("The search ended after 2 trials, the most that were asked for.");
    expect(textsOf(report.notes)).toContain(report.stopped);
    expect(report.recipe).toMatchObject({ range: { method: "zscore", threshold: 5 } });
  });
});

describe("each tensor its own, by its weights' error", () => {
  let found: Conducted<"threshold-search">;
  beforeAll(async () => {
    found = await runLab(demo, "threshold-search", {
      ...REQUEST,
      calibration: null,
      scope: "tensor",
      methods: ["zscore"],
      thresholds: [5, 9],
    });
  });

  it("needs no calibration text", () => {
    expect(found.report.calibration).toBeNull();
    expect(found.report.result?.calibration).toEqual({ kl: null, perplexity: null });
    expect(found.report.by).toBe("weight-error");
  });

  it("chooses for every tensor the candidate of least relative error", () => {
    const byTensor = [...Map.groupBy(found.report.trials, ({ tensor }) => tensor).values()];
    expect(byTensor).toHaveLength(42);
    for (const trials of byTensor) {
      const losses = trials.map(({ loss }) => loss ?? Infinity);
      const best = trials.filter((trial) => trial.best);
      expect(best.map(({ loss }) => loss)).toEqual([Math.min(...losses)]);
      expect(losses.every((loss) => loss > 0 && loss < 2)).toBe(true);
    }
  });

  it("gives a recipe of overrides that scores the reported figure and the reported errors", async () => {
    const recipe = parseRecipe(JSON.parse(JSON.stringify(found.report.recipe)));
    const clipped = found.report.trials.filter(({ best, range }) => best && range);
    expect(recipe.overrides.map(({ match, range }) => [match, range])).toEqual(
      clipped.map(({ tensor, range }) => [tensor, range]),
    );
    expect(await klOf(recipe)).toBe(found.report.result?.test.kl?.mean);
  });

  it("leaves the tensors that a budget does not reach as they are, and says how many", async () => {
    const { report } = await runLab(demo, "threshold-search", {
      ...REQUEST,
      judge: { tokens: 100 },
      scope: "tensor",
      methods: ["zscore"],
      thresholds: [5],
      maxTrials: 20,
    });
    const searched = new Set(report.trials.map(({ tensor }) => tensor)).size;
    expect(textsOf(report.notes).join(" ")).toContain(`${42 - searched} of 42 tensors were not searched`);
    expect(report.stopped).toMatch(/after 20 trials/);
  });

  it("shares a budget evenly among the tensors, and says so", async () => {
    const { report } = await runLab(demo, "threshold-search", {
      ...REQUEST,
      judge: { tokens: 100 },
      scope: "tensor",
      methods: ["zscore"],
      thresholds: [3, 5, 9],
      maxTrials: 3 * 42,
    });
    const tried = [...Map.groupBy(report.trials, ({ tensor }) => tensor).values()];
    expect(tried.map(({ length }) => length)).toEqual(Array.from({ length: 42 }, () => 3));
    expect(textsOf(report.notes).join(" ")).toContain("42 of 42 tensors could not try every candidate");
    expect(report.stopped).toMatch(/after 126 trials/);
  });
});

it("refuses to search by KL without a calibration text", async () => {
  await expect(runLab(demo, "threshold-search", { ...REQUEST, calibration: null })).rejects.toMatchObject({
    code: "usage/no-calibration",
  });
});
