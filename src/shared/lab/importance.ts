import { z } from "zod";
import { common } from "./asked.ts";
import { magnitudeScale } from "../figures/axes.ts";
import { meanAccuracy } from "../figures/taskAccuracy.ts";
import { AGAINST_DOTTED, liveNumber, ratio, times, TIMES, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { importanceFigures, importanceReport } from "./reports/importanceReport.ts";

const request = z.strictObject({ experiment: z.literal("importance"), ...common });
type Request = z.output<typeof request>;
type Report = z.output<typeof importanceReport>;

export const importance = {
  name: "importance",
  request,
  report: importanceReport,
  title: "Importance",
  paper: "Table 1",
  question:
    "What does the model lose without its super weights, and what without far more ordinary outliers?",
  grain: "all found weights together, then each weight alone",
  paperSays: [
    "In the paper (Llama-7B) perplexity on Wikitext-2 goes from 5.67 to 1,211.11 without its one super weight, to 720.57 with the super activation kept, and to 6.08 without the 7,000 largest other weights; mean accuracy over seven tasks from 70.11 to 35.14, 50.09 and 69.22.",
  ],
  uses: { tasks: true, windows: true, calibration: false },
  options: [],
  card: { place: 1 },
  figures: importanceFigures,
  livePoints: ({ rows }) =>
    rows.map((row) => `${row.name}: perplexity ${liveNumber(row.perplexity, row.notFinite)}`),
  originalTasks: ({ rows }) => rows[0]?.tasks ?? [],
  scoredTokens: ({ rows }) => rows[0]?.tokens ?? null,
  compare: {
    begins: "Without its super weights perplexity goes",
    value: ({ rows: [original, pruned] }) => times(ratio(pruned?.perplexity, original?.perplexity)),
    charts: (reports) => {
      const points = reports.flatMap(pointsOf);
      return [
        {
          kind: "dots",
          id: "compare-importance",
          title: "What removing weights costs",
          caption: AGAINST_DOTTED,
          xLabel: TIMES,
          x: magnitudeScale([1, ...points.map(({ value }) => value)]),
          reference: 1,
          first: "State",
          columns: ["Weights", "Perplexity", "KL", "Mean accuracy"],
          points,
        },
      ];
    },
  },
} as const satisfies Experiment<Request, Report>;

function pointsOf({ rows: [original, ...rows] }: Report, of: number): ComparePoint[] {
  return rows.map((row) => ({
    of,
    row: row.name,
    value: ratio(row.perplexity, original?.perplexity),
    cells: [row.weights, row.perplexity, row.kl?.mean ?? null, meanAccuracy(row.tasks)],
  }));
}
