import { textsOf } from "#shared/notes.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabReportOf } from "#shared/lab/index.ts";
import { expectNear, expectWithin } from "../golden-model/bounds.ts";
import { figures, FIGURES_JUDGE, openDemo, type Demo } from "../golden-model/demoModel.ts";
import { CALIBRATION, runLab, LAST_WORD, openSynthetic, TEXT, writeText, type Conducted } from "./labRun.ts";

const PERPLEXITY_BOUND = 1e-3;
const KL_BOUND = { relative: 2e-3, absolute: 1e-5 };

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

type Cell = LabReportOf<"block-scaling">["cells"][number];

describe("block scaling on the demo model", () => {
  let found: Conducted<"block-scaling">;
  beforeAll(async () => {
    found = await runLab(demo, "block-scaling", {
      text: TEXT,
      calibration: CALIBRATION,
      judge: FIGURES_JUDGE,
      bits: [3],
      granularities: ["group:48", "flat:1048576", "tensor"],
      thresholds: [3, 5],
    });
  });

  function cell(granularity: string, arm: Cell["arm"]): Cell {
    const it = found.report.cells.find(
      (candidate) => candidate.granularity === granularity && candidate.arm === arm,
    );
    if (!it) throw new Error(`no cell ${granularity} ${arm}`);
    return it;
  }

  it.each([
    ["plain", "rtn3-tensor-plain"],
    ["clip-restore", "rtn3-tensor-z5-restore"],
  ] as const)("gives the reference's figures per tensor, %s", (arm, name) => {
    const expected = figures.evaluations.find((it) => it.name === name);
    const { scores } = cell("tensor", arm);
    const kl = expected?.kl ?? NaN;
    expectWithin(scores.perplexity, expected?.perplexity ?? NaN, PERPLEXITY_BOUND, "perplexity");
    expectNear(scores.kl?.mean, kl, KL_BOUND.relative * kl + KL_BOUND.absolute, "KL");
  });

  it("chooses the threshold of least KL on the calibration text and shows every trial", () => {
    const trials = found.report.trials.filter(({ granularity }) => granularity === "tensor");
    expect(trials.map(({ range }) => range)).toEqual([
      { method: "zscore", threshold: 3 },
      { method: "zscore", threshold: 5 },
    ]);
    const least = Math.min(...trials.map(({ kl }) => kl ?? NaN));
    expect(cell("tensor", "clip-restore")).toMatchObject({
      range: { method: "zscore", threshold: 5 },
      calibrationKl: least,
    });
  });

  it("shows that clip and restore shines at INT3 per tensor", () => {
    const plain = figures.evaluations.find(({ name }) => name === "rtn3-tensor-plain")?.kl ?? NaN;
    expect(found.report.finding.text).toContain(
      `in 1 of 1 cells, most at INT3, tensor: z 5 takes KL from ${plain.toFixed(3)}`,
    );
  });

  it("says which block does not fit, and which is larger than every tensor", () => {
    const notes = textsOf(found.report.notes).join("\n");
    expect(notes).toMatch(/group:48 is left out: .* 704 columns/);
    expect(notes).toMatch(/flat:1048576 cuts every tensor of this model as tensor does/);
    expect(found.report.cells.some(({ granularity }) => granularity === "group:48")).toBe(false);
    expect(cell("flat:1048576", "plain").scores).toEqual(cell("tensor", "plain").scores);
  });

  it("tells every trial and cell as it comes", () => {
    expect(found.told.map(({ cells, trials }) => [cells.length / 2, trials.length / 2])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 2],
    ]);
    expect(found.progress.at(-1)?.secondsLeft).toBe(0);
  });
});

it("scores tasks in every cell where they are asked for", async () => {
  const { report } = await runLab(demo, "block-scaling", {
    text: TEXT,
    calibration: CALIBRATION,
    judge: { tokens: 150 },
    bits: [4],
    granularities: ["channel"],
    thresholds: [9],
    tasks: [LAST_WORD],
    taskLimit: 5,
  });
  expect(report.cells.map(({ tasks }) => tasks?.[0]?.n)).toEqual([5, 5]);
  expect(report.original?.tasks?.[0]?.n).toBe(5);
});

it("asks for a calibration text", async () => {
  await expect(runLab(demo, "block-scaling", { text: TEXT })).rejects.toMatchObject({
    code: "usage/no-calibration",
  });
});

it("refuses a grid of which no block fits", async () => {
  await expect(
    runLab(demo, "block-scaling", { text: TEXT, calibration: CALIBRATION, granularities: ["group:48"] }),
  ).rejects.toMatchObject({ code: "recipe/block-does-not-divide" });
});

it("runs on a model without super weights and says that nothing is restored", async () => {
  const model = await openSynthetic();
  try {
    const text = await writeText(["the quick brown fox jumps"]);
    const calibration = await writeText(["over the lazy dog", "the quick brown fox jumps"]);
    const request = { text, calibration, bits: [3], granularities: ["tensor"], thresholds: [3] };
    const { report } = await runLab(model, "block-scaling", request, { superWeights: [] });
    expect(report.cells).toHaveLength(2);
    expect(report.finding.text).toMatch(
      /^Clipping lies closer to the original than plain rounding in \d of 1 cells/,
    );
    expect(textsOf(report.notes)).toEqual([
      "No super weight was found in this model: nothing is restored.",
      "1 of the 1 judged documents also stand in the calibration text: what was chosen there looks better than it is.",
    ]);
  } finally {
    await model.close();
  }
});
