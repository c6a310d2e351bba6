import { describe, expect, it } from "vitest";
import { paletteOf, tableCsv } from "#shared/figures/index.ts";
import {
  experimentName,
  labRequest,
  type ExperimentName,
  type LabReport,
  type LabResult,
} from "#shared/lab/index.ts";
import { labReportOf } from "../../../../test/support/labReports.ts";
import { comparedOf, compareFigures } from "./compare.ts";
import { compareFinding } from "./compareFinding.ts";

const palette = paletteOf((name) => name);

function result(report: LabReport, id: string, modelName: string): LabResult {
  const { experiment, finding, seconds, model } = report;
  return {
    summary: {
      id,
      experiment,
      model,
      modelName,
      fingerprint: id,
      created: "2026-01-02T03:04:05.000Z",
      seconds,
      finding,
      cancelled: false,
      failed: false,
    },
    request: labRequest.parse({ experiment, text: report.text }),
    report,
  };
}

const two = (experiment: ExperimentName): LabResult[] => [
  result(labReportOf(experiment), "1", "demo"),
  result(labReportOf(experiment), "2", "tiny"),
];

describe.each(experimentName.options)("two results of %s", (experiment) => {
  const compared = comparedOf(two(experiment));
  const figures = compareFigures(experiment, compared, palette);

  it("stand in one chart, each with its own colour", () => {
    expect(figures.length).toBeGreaterThan(0);
    for (const { traces } of figures) {
      const colours = traces.map((trace) => (trace["marker"] as { color: string }).color);
      expect(new Set(colours)).toEqual(new Set(["cat-1", "cat-2"]));
    }
  });
  it("have every drawn value in the table, under the model's letter and name", () => {
    for (const { table, traces } of figures) {
      const drawn = traces.flatMap((trace) => (trace["hovertext"] as string[] | undefined) ?? []);
      expect(table.rows.length).toBeGreaterThanOrEqual(drawn.length);
      expect(new Set(table.rows.map((row) => row[1]))).toEqual(new Set(["A demo", "B tiny"]));
    }
  });
  it("are told in one sentence that names both", () => {
    const said = compareFinding(compared);
    expect(said).toContain("in demo");
    expect(said).toContain("in tiny");
    expect(said).not.toMatch(/NaN|undefined|null|Infinity/);
  });
});

it("draws perplexities as multiples of each model's own original", () => {
  const [a, b] = two("sensitivity");
  const dearer = structuredClone(b);
  if (dearer.report.experiment !== "sensitivity") throw new Error("not a sensitivity report");
  dearer.report.original!.perplexity = 10;
  dearer.report.points = [{ ...dearer.report.points[0], factor: 0, perplexity: 30 }];
  const [figure] = compareFigures("sensitivity", comparedOf([a, dearer]), palette);
  const ofB = figure?.table.rows.find((row) => row[1] === "B tiny");
  expect(ofB?.at(-1)).toBe(3);
  expect(tableCsv(figure.table).split("\r\n")[0]).toBe("Factor,Model,Perplexity,KL,× original");
});

it("tells two results of one model apart by when they were made", () => {
  const [a] = two("importance");
  const later = { ...a, summary: { ...a.summary, id: "3", created: "2025-11-12T00:00:00.000Z" } };
  const names = comparedOf([a, later]).map(({ name }) => name);
  expect(new Set(names).size).toBe(2);
  expect(names.every((name) => name.startsWith("demo, "))).toBe(true);
});

it("bears a result without any point", () => {
  const report = { ...labReportOf("sensitivity"), points: [], original: null };
  const compared = comparedOf([result(report, "1", "demo")]);
  expect(compareFigures("sensitivity", compared, palette)).toHaveLength(1);
  expect(compareFinding(compared)).toContain("no factor");
});
