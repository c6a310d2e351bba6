import { textsOf } from "#shared/notes.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabReportOf } from "#shared/lab/index.ts";
import { openDemo, type Demo } from "../golden-model/demoModel.ts";
import { CALIBRATION, runLab, openSynthetic, TEXT, writeText, type Conducted } from "./labRun.ts";

type Row = LabReportOf<"activations">["rows"][number];

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

describe("activations of the demo model", () => {
  let found: Conducted<"activations">;
  beforeAll(async () => {
    found = await runLab(demo, "activations", {
      text: TEXT,
      calibration: CALIBRATION,
      judge: { tokens: 700 },
      alphas: [0.5, 0.85],
    });
  });

  function kl(method: Row["method"], per: Row["per"], weights: Row["weights"] = "8-bit"): number {
    const row = found.report.rows.find(
      (it) => it.method === method && it.per === per && it.weights === weights,
    );
    return row?.scores.kl?.mean ?? NaN;
  }

  it("scores every method at both granularities, and what 8-bit weights cost alone", () => {
    expect(found.report.rows.map(({ method, per, weights }) => [method, per, weights])).toEqual([
      ["none", null, "original"],
      ["none", null, "8-bit"],
      ["none", null, "8-bit clipped and restored"],
      ...(["token", "tensor"] as const).flatMap((per) => [
        ["naive", per, "8-bit"],
        ["smoothquant", per, "8-bit"],
        ["super-activation", per, "8-bit"],
        ["super-activation", per, "8-bit clipped and restored"],
      ]),
    ]);
  });

  it("shows that per tensor costs more than per token, and that keeping the super activation is nearer than naive", () => {
    expect(kl("naive", "tensor") > 2 * kl("naive", "token")).toBe(true);
    expect(kl("super-activation", "tensor") < 0.9 * kl("naive", "tensor")).toBe(true);
    expect(kl("none", null) < kl("naive", "token")).toBe(true);
  });

  it("takes the α of least KL on the calibration text and shows the search", () => {
    expect(found.report.alphaSearch.map(({ per, alpha }) => [per, alpha])).toEqual([
      ["token", 0.5],
      ["token", 0.85],
      ["tensor", 0.5],
      ["tensor", 0.85],
    ]);
    for (const per of ["token", "tensor"]) {
      const trials = found.report.alphaSearch.filter((trial) => trial.per === per);
      const least = trials.toSorted((a, b) => (a.kl ?? NaN) - (b.kl ?? NaN))[0];
      const row = found.report.rows.find((it) => it.method === "smoothquant" && it.per === per);
      expect(row?.alpha).toBe(least?.alpha);
    }
  });

  it("gives no share of a loss that the text cannot tell", () => {
    expect(found.report.finding.text).toMatch(/less than this text can tell/);
    const perToken = found.report.rows.filter(({ per }) => per === "token");
    expect(perToken.every(({ recovered }) => recovered === null)).toBe(true);
  });

  it("tells every trial and row as it comes, with one progress", () => {
    const grown = found.told.map(({ rows, alphaSearch }) => rows.length + alphaSearch.length);
    expect(grown).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    const done = found.progress.map((at) => at.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(found.progress.at(-1)?.secondsLeft).toBe(0);
  });
});

it("leaves SmoothQuant out without a calibration text, and says so", async () => {
  const { report } = await runLab(demo, "activations", {
    text: TEXT,
    judge: { tokens: 150 },
    per: ["token"],
  });
  expect(report.rows.some(({ method }) => method === "smoothquant")).toBe(false);
  expect(textsOf(report.notes)).toContain("SmoothQuant is left out: no calibration text was named.");
});

it("keeps nothing on a model without super weights, and says so", async () => {
  const model = await openSynthetic();
  try {
    const text = await writeText(["the quick brown fox jumps"]);
    const request = { text, per: ["tensor" as const], matmuls: true };
    const { report } = await runLab(model, "activations", request, { superWeights: [] });
    expect(report.rows.map(({ method }) => method)).toEqual(["none", "none", "none", "naive"]);
    expect(textsOf(report.notes).join(" ")).toMatch(/No super weight was found/);
  } finally {
    await model.close();
  }
});
