import { z } from "zod";
import { common } from "./asked.ts";
import { number } from "../format.ts";
import { AGAINST_ORIGINAL, liveNumber, ratio, TIMES, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { axisRange, factorEnds } from "../figures/factorAxis.ts";
import { sensitivityFigures, sensitivityReport } from "./reports/sensitivityReport.ts";

/** Figure 6 of the paper, with the region around 1 closer. */
export const DEFAULT_FACTORS: readonly number[] = [0, 0.1, 0.2, 0.3, 0.5, 0.8, 1, 1.2, 1.5, 2, 3];

const request = z.strictObject({
  experiment: z.literal("sensitivity"),
  ...common,
  factors: z
    .array(z.number().min(-16).max(16))
    .min(1)
    .max(64)
    .default([...DEFAULT_FACTORS]),
});
type Request = z.output<typeof request>;
type Report = z.output<typeof sensitivityReport>;

export const sensitivity = {
  name: "sensitivity",
  request,
  report: sensitivityReport,
  title: "Sensitivity",
  paper: "Figure 6",
  question: "What happens as the super weights are scaled from 0 to 3?",
  grain: "all found weights together, by one factor",
  paperSays: [
    "The paper measures the mean accuracy of seven zero-shot tasks: for Llama-7B 35.15 at factor 0, 50.24 at 0.1, 69.23 at 0.5, 70.12 as it is, 70.55 at 2 and 70.26 at 3. The gain above 1 is below one point.",
  ],
  uses: { tasks: true, windows: true, calibration: false },
  options: [
    {
      key: "factors",
      label: "Factors",
      valid: `From −16 to 16, at most 64, e.g. ${DEFAULT_FACTORS.join(", ")}.`,
      entry: { kind: "numbers" },
      flag: "--factors <list>",
      help: "factors to multiply the super weights with",
    },
  ],
  card: { place: 2 },
  figures: sensitivityFigures,
  livePoints: ({ points }) =>
    points.map(
      ({ factor, perplexity, kl, notFinite }) =>
        `× ${factor}: perplexity ${liveNumber(perplexity, notFinite)}, KL ${liveNumber(kl?.mean, notFinite)}`,
    ),
  originalTasks: ({ original }) => original?.tasks ?? [],
  scoredTokens: ({ original }) => original?.tokens ?? null,
  compare: {
    begins: "Perplexity is lowest with super weights at",
    value: ({ points }) => bestFactor(points),
    charts: (reports) => {
      const points = reports.flatMap(pointsOf);
      return [
        {
          kind: "lines",
          id: "compare-sensitivity",
          title: "Perplexity as the super weights are scaled",
          caption: AGAINST_ORIGINAL,
          xLabel: "factor of the super weights",
          x: {
            type: "linear",
            range: axisRange(factorEnds(points.map(({ x }) => x ?? 0))),
            nticks: 8,
            tickprefix: "× ",
          },
          yLabel: TIMES,
          reference: 1,
          first: "Factor",
          columns: ["Perplexity", "KL"],
          points,
        },
      ];
    },
  },
} as const satisfies Experiment<Request, Report>;

function pointsOf({ points, original }: Report, of: number): ComparePoint[] {
  return points
    .toSorted((a, b) => a.factor - b.factor)
    .map(({ factor, perplexity, kl }) => ({
      of,
      row: `× ${factor}`,
      x: factor,
      value: ratio(perplexity, original?.perplexity),
      cells: [perplexity, kl?.mean ?? null],
    }));
}

function bestFactor(points: Report["points"]): string {
  const scored = points.filter((point) => point.perplexity !== null);
  if (scored.length === 0) return "no factor";
  const best = scored.reduce((a, b) => ((b.perplexity ?? 0) < (a.perplexity ?? 0) ? b : a));
  return `× ${number(best.factor, 2)}`;
}
