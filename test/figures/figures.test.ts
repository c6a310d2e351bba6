import { describe, expect, it } from "vitest";
import { labFigures } from "#shared/lab/index.ts";
import { paletteOf, runFigures, tableText, type Figure } from "#shared/figures/index.ts";
import { labReport, type LabReport } from "#shared/lab/index.ts";
import { runDetail } from "#shared/run.ts";
import { hostileCopy, isFreeText } from "../support/hostile.ts";
import { LAB_REPORTS, labReportOf } from "../support/labReports.ts";
import { madeUpRun } from "../support/madeUp/run.ts";

const PALETTE = paletteOf((name) => `token(${name})`);
const figuresOf = (report: LabReport): Figure[] => labFigures(report, PALETTE);
const ALL: [string, Figure[]][] = [
  ...LAB_REPORTS.map((report): [string, Figure[]] => [report.experiment, figuresOf(report)]),
  ["run", runFigures(madeUpRun(), PALETTE)],
];

function figure(id: string): Figure {
  const found = ALL.flatMap(([, figures]) => figures).find((one) => one.id === id);
  if (!found) throw new Error(`No figure ${id}.`);
  return found;
}

/** Figures whose values lie along x. */
const DOT_PLOTS = new Set([
  "importance-perplexity",
  "importance-accuracy",
  "token-probabilities-likeliest",
  "token-probabilities-movers",
  "token-probabilities-stop-words",
  "activations-perplexity",
  "activations-kl",
  "activations-accuracy",
  "threshold-search-result",
  "threshold-search-choices",
]);

/** Every leaf of a value with the key it stands under. */
function leaves(value: unknown, key = ""): { key: string; value: unknown }[] {
  if (Array.isArray(value)) return value.flatMap((one: unknown) => leaves(one, key));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([name, one]) => leaves(one, name));
  return [{ key, value }];
}

const numbersIn = (values: unknown): number[] =>
  Array.isArray(values) ? values.filter((value): value is number => typeof value === "number") : [];

describe.each(ALL)("the figures of %s", (_, figures) => {
  it("have ids of their own, words and values", () => {
    expect(figures.length).toBeGreaterThan(0);
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    for (const { id, title, caption, summary, height, table } of figures) {
      expect(id).toMatch(/^[\w-]+$/);
      for (const words of [title, caption, summary]) expect(words.length, id).toBeGreaterThan(10);
      expect(summary, id).not.toMatch(/undefined|NaN|null/);
      expect(height).toBeGreaterThan(60);
      expect(table.rows.length, id).toBeGreaterThan(0);
      for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
      for (const cell of tableText(table).flat()) expect(cell, id).not.toMatch(/undefined|NaN/);
    }
  });

  it("plot nothing that the table does not hold", () => {
    for (const { id, traces, table } of figures) {
      const known = new Set(numbersIn(table.rows.flat()));
      for (const trace of traces) {
        for (const value of numbersIn(DOT_PLOTS.has(id) ? trace["x"] : trace["y"]))
          expect(known.has(value), `${id}: ${value}`).toBe(true);
      }
    }
  });

  it("are plain JSON with finite numbers and one word for each point", () => {
    for (const { id, traces, layout } of figures) {
      expect(JSON.parse(JSON.stringify({ traces, layout })), id).toEqual({ traces, layout });
      for (const { key, value } of leaves({ traces, layout }))
        if (typeof value === "number") expect(Number.isFinite(value), `${id}: ${key}`).toBe(true);
      for (const trace of traces)
        if (trace.hoverinfo !== "skip") expect(trace.hovertext?.length, id).toBe(numbersLength(trace["x"]));
    }
  });

  it("take every colour and font from the palette", () => {
    for (const { id, traces, layout } of figures) {
      for (const { key, value } of leaves({ traces, layout })) {
        if (!/colou?r$|^family$/i.test(key) || typeof value !== "string") continue;
        expect(value, `${id}: ${key}`).toMatch(/^(token\([a-z0-9-]+\)|rgba\(0,0,0,0\))$/);
      }
    }
  });

  it("say so where an axis is logarithmic", () => {
    for (const { id, layout } of figures) {
      const said = JSON.stringify([layout["annotations"], layout["xaxis"]]);
      if ((layout["yaxis"] as { type?: string }).type === "log") expect(said, id).toContain("log scale");
    }
  });
});

function numbersLength(values: unknown): number {
  return Array.isArray(values) ? values.length : -1;
}

describe("the grammar of marks", () => {
  const markers = (id: string): { color: string; line: { color: string } }[] =>
    figure(id).traces.map((trace) => trace["marker"] as { color: string; line: { color: string } });

  it("draws the original in ink, what is kept in gold, what is removed as a gold outline, the rest grey", () => {
    expect(markers("importance-perplexity")).toMatchObject([
      { color: "token(ink)" },
      { color: "rgba(0,0,0,0)", line: { color: "token(sw-line)" } },
      { color: "token(sw)", line: { color: "token(sw-line)" } },
      { color: "token(pane)", line: { color: "token(ink-3)" } },
    ]);
    expect(markers("block-scaling-int3")).toMatchObject([{ color: "token(pane)" }, { color: "token(sw)" }]);
  });

  it("sets the keystone mark at factor 1", () => {
    const shapes = figure("sensitivity-perplexity").layout["shapes"] as { type: string; xanchor?: number }[];
    expect(shapes.find(({ type }) => type === "path")).toMatchObject({
      xanchor: 1,
      fillcolor: "token(sw)",
    });
  });

  it("labels lines at their ends and keeps the labels apart", () => {
    const labels = (figure("block-scaling-int4-thresholds").layout["annotations"] as { text: string }[]).map(
      ({ text }) => text,
    );
    expect(labels).toEqual(expect.arrayContaining(["channel", "tensor", "flat 16,384", "flat 65,536"]));
  });
});

describe("reports that are not whole yet", () => {
  const empty: LabReport[] = [
    { ...labReportOf("importance"), complete: false, rows: [] },
    { ...labReportOf("super-activations"), complete: false, prompts: [], states: [], persistence: [] },
    { ...labReportOf("token-probabilities"), complete: false, tokens: [], examples: [] },
    { ...labReportOf("sensitivity"), complete: false, original: null, points: [] },
    { ...labReportOf("block-scaling"), complete: false, original: null, cells: [], trials: [] },
    { ...labReportOf("activations"), complete: false, rows: [], alphaSearch: [] },
    { ...labReportOf("threshold-search"), complete: false, trials: [], recipe: null, result: null },
  ];

  it.each(empty.map((report) => [report.experiment, report] as const))(
    "%s draws what there is",
    (_, report) => {
      for (const { traces, layout, height } of figuresOf(report)) {
        expect(Number.isFinite(height)).toBe(true);
        for (const { key, value } of leaves({ traces, layout }))
          if (typeof value === "number") expect(Number.isFinite(value), key).toBe(true);
      }
    },
  );

  it("a value that is not finite is a gap in the line and a word in the table", () => {
    const { traces, table } = figure("sensitivity-perplexity");
    expect(traces[0]?.["y"]).toContain(null);
    expect(tableText(table).flat()).toContain("not finite");
  });
});

describe("names from files", () => {
  const hostile = [
    ...LAB_REPORTS.map((report) => labReport.parse(hostileCopy(report, isFreeText))).flatMap(figuresOf),
    ...runFigures(runDetail.parse(hostileCopy(madeUpRun(), isFreeText)), PALETTE),
  ];

  it("are never markup to Plotly, which reads tags in labels", () => {
    let seen = 0;
    for (const { id, traces, layout } of hostile) {
      for (const { key, value } of leaves({ traces, layout })) {
        if (typeof value !== "string") continue;
        if (value.includes("evil.example")) seen++;
        expect(value.replaceAll("<br>", "").replaceAll(/<\/?sup>/g, ""), `${id}: ${key}`).not.toMatch(/[<>]/);
      }
    }
    expect(seen).toBeGreaterThan(10);
  });
});
