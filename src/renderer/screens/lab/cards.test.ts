import { describe, expect, it } from "vitest";
import { labFigures } from "#shared/lab/index.ts";
import { paletteOf, type Figure } from "#shared/figures/index.ts";
import { experimentName } from "#shared/lab/index.ts";
import { parsePlan } from "#shared/plan.ts";
import { labReportOf } from "../../../../test/support/labReports.ts";
import { accuracyWords, factorOf, logBars, markOf } from "./ablation.ts";
import { isLinePlot, positionsOf, wordsAt } from "./crosshair.ts";
import { sweepOf } from "./foundRecipe.ts";
import { headline, measuredOn, methodOf, progressWords, unbroken } from "./labText.ts";
import { shortBlock } from "#shared/lab/blockScaling.ts";
import { overviewFigure } from "./overviewFigure.ts";
import { persistenceWords } from "./persistenceWords.ts";

const palette = paletteOf((name) => name);

describe("rows of the ablation table", () => {
  const { rows } = labReportOf("importance");
  it("mark what became of the super weights, and nothing where other weights go", () => {
    expect(rows.map(markOf)).toEqual(["in-place", "removed", "removed", null]);
    expect(markOf({ kind: "random-others" })).toBeNull();
  });
  it("have bars on a log scale over whole decades", () => {
    expect(logBars([1, 10, 100])).toEqual([0.02, 0.5, 1]);
    expect(logBars([10, null])).toEqual([0.02, null]);
  });
  it("say how many times the original's perplexity they have", () => {
    expect(rows.map((row) => factorOf(row, rows[0]))).toEqual(["", "× 6.4 × 10⁶", "no change", "no change"]);
  });
});

describe("the crosshair", () => {
  it("stops at every factor of the scaling chart and says its perplexity", () => {
    const [figure] = labFigures(labReportOf("sensitivity"), palette);
    expect(positionsOf(figure)).toEqual([0, 0.5, 0.8, 1, 1.5, 3]);
    expect(wordsAt(figure, 0.5)).toContain("893.7");
  });
  it("says all lines of a layer", () => {
    const [figure] = labFigures(labReportOf("super-activations"), palette);
    expect(wordsAt(figure, 1).split(" · ")).toHaveLength(3);
  });
  it("has no stops on rows of marks", () => {
    const [figure] = labFigures(labReportOf("importance"), palette);
    expect(isLinePlot(figure)).toBe(false);
    expect(positionsOf(figure)).toEqual([]);
  });
});

describe("the one chart of a card", () => {
  it.each(experimentName.options)("is there for %s, and none is lost", (experiment) => {
    const report = labReportOf(experiment);
    const card = overviewFigure(report, palette);
    expect(card!.others).toBe(labFigures(report, palette).length - 1);
    expect(card!.whole.table.rows.length).toBeGreaterThan(0);
  });
  it("shows the fewest bits of block scaling, under short names", () => {
    const card = overviewFigure(labReportOf("block-scaling"), palette);
    expect(card?.whole.id).toBe("block-scaling-int3");
    expect(card?.drawn.layout["xaxis"]).toMatchObject({
      ticktext: expect.arrayContaining(["128²"]) as unknown,
    });
  });
  it("shows ten tokens and saves them all", () => {
    const card = overviewFigure(labReportOf("token-probabilities"), palette);
    const rows = (figure: Figure): number =>
      (figure.layout["yaxis"] as { tickvals: number[] }).tickvals.length;
    expect(rows(card!.drawn)).toBe(10);
    expect(rows(card!.whole)).toBe(20);
  });
  it("names N × N blocks as squares and keeps the first of two lines", () => {
    expect(["1024 × 1024<br>flat 1,048,576", "channel", "tile 128 × 64"].map(shortBlock)).toEqual([
      "1024²",
      "channel",
      "tile 128 × 64",
    ]);
  });
});

describe("a found recipe", () => {
  it("becomes a plan of itself and plain rounding, judged with the same windows", () => {
    const plan = parsePlan(sweepOf(labReportOf("threshold-search")));
    expect(plan.recipes.map(({ range, restore }) => [range?.method ?? null, restore])).toEqual([
      [null, "none"],
      ["zscore", [[1, 137, 401]]],
    ]);
    expect(plan.judge).toMatchObject({ context: 192, windows: "bos" });
  });
});

it("says in numbers how far a super weight's value is carried", () => {
  const { persistence } = labReportOf("super-activations");
  expect(persistenceWords(persistence[0], 2)).toBe(
    "Layer 1 [137, 401] writes 241.3 to channel 137; in all 2 prompts it is the largest value from layer 1 to 3, at token 0; without super weights ÷ 219.",
  );
  expect(persistenceWords({ ...persistence[0], from: null }, 1)).toContain(
    "in no layer is that the largest value in the one prompt",
  );
});

it("keeps a number on the line of its percent or times sign", () => {
  expect(unbroken("recovers 100% of it (× 0.76), 27% with them")).toBe(
    "recovers 100% of it (×\u00a00.76), 27% with them",
  );
});

it("takes the first part of a finding for the heading", () => {
  expect(headline("Removing 1 weight multiplies perplexity by 96; keeping its activation helps.")).toBe(
    "Removing 1 weight multiplies perplexity by 96",
  );
});

it("says how a result was measured", () => {
  expect(methodOf(labReportOf("threshold-search"))).toBe(
    "Section 4.2 of the paper · eval.jsonl, 2,000 tokens in 12 windows of 192 · calibrated on calibration.jsonl · layer 1 [137, 401] · 13 s on CPU",
  );
  expect(methodOf({ ...labReportOf("importance"), calibration: null, taskLimit: 200 })).toBe(
    "Table 1 of the paper · eval.jsonl, 2,000 tokens in 12 windows of 192 · choices and last words, at most 200 items each · layer 1 [137, 401] · 13 s on CPU",
  );
  expect(measuredOn(labReportOf("sensitivity"))).toContain("choices and last words, every item");
  expect(measuredOn(labReportOf("super-activations"))).toContain("eval.jsonl, 12 windows of 192 tokens");
});

it("says what a task's accuracy is worth, and of one item nothing", () => {
  expect([accuracyWords(0.4, 0.2449), accuracyWords(1, null), accuracyWords(null, null)]).toEqual([
    "40.0 ± 24.5",
    "100.0",
    "–",
  ]);
});

it("says what a job is at", () => {
  const job = {
    id: "1",
    kind: "lab",
    title: "",
    model: null,
    run: null,
    created: "",
    seconds: 0,
    error: null,
  } as const;
  expect(progressWords({ ...job, status: "waiting", progress: null })).toBe("Queued");
  const progress = { done: 3, total: 16, unit: "tokens", phase: "layer 3 of 16", rate: 271, secondsLeft: 11 };
  expect(progressWords({ ...job, status: "running", progress })).toBe(
    "layer 3 of 16 · 271 tok/s · about 10 s left",
  );
});
