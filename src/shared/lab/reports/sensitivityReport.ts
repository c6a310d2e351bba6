import { z } from "zod";
import { scores, taskReport } from "../../evaluation.ts";
import { facts } from "./facts.ts";
import { percent } from "../../format.ts";
import { fractionScale, magnitudeScale } from "../../figures/axes.ts";
import type { Figure } from "../../figures/figure.ts";
import { linePlot } from "../../figures/linePlot.ts";
import type { Palette } from "../../figures/palette.ts";
import { type FigureTable, perplexityText, scoreCell, separatingDecimals } from "../../figures/table.ts";
import {
  accuracyCells,
  accuracyColumns,
  answersTable,
  meanAccuracy,
  taskNames,
} from "../../figures/taskAccuracy.ts";
import { keystoneShape } from "../../figures/template.ts";

/** Figure 6. */
export const sensitivityReport = z.object({
  experiment: z.literal("sensitivity"),
  ...facts,
  original: scores.extend({ tasks: z.array(taskReport).optional() }).nullable(),
  points: z.array(scores.extend({ factor: z.number(), tasks: z.array(taskReport).optional() })),
});

type Report = z.output<typeof sensitivityReport>;

const HEIGHT = 280;
const PAPER =
  "The paper multiplies the super weights by 0 … 3: quality collapses towards 0, and somewhere above 1 it may be a little better than the original.";

/** Figure 6 of the paper: the model as its super weights are scaled. */
export function sensitivityFigures(report: Report, palette: Palette): Figure[] {
  const points = [...report.points].sort((a, b) => a.factor - b.factor);
  const original = report.original?.perplexity ?? null;
  const best = lowest(points);
  const decimals = separatingDecimals([...points.map((point) => point.perplexity), original]);
  const table = sensitivityTable(report, points, decimals);
  const x = factorAxis(points);
  const plot = linePlot(
    {
      series: [
        {
          name: "",
          role: "kept",
          points: points.map(({ factor, perplexity: y }) => ({
            x: factor,
            y,
            words: `× ${factor}: perplexity ${perplexityText(y, decimals)}`,
          })),
        },
      ],
      y: magnitudeScale([...points.map((point) => point.perplexity), original]),
      yLabel: "perplexity",
      x,
      xLabel: "factor of the super weights",
      reference:
        original === null
          ? undefined
          : { value: original, text: `original ${perplexityText(original, decimals)}` },
      height: HEIGHT,
    },
    palette,
  );
  const accuracy = accuracyCurve(report, points, x, palette);
  return [
    {
      id: "sensitivity-perplexity",
      title: "Perplexity as the super weights are scaled",
      caption: `Figure 6 of the paper, in perplexity: lower is better, the wedge marks the original's own factor. ${PAPER}`,
      summary:
        best === null
          ? "No factor has been scored yet."
          : `Perplexity is lowest at × ${best.factor} with ${perplexityText(best.perplexity, decimals)}; the original has ${perplexityText(original, decimals)}.`,
      height: HEIGHT,
      traces: plot.traces,
      layout: { ...plot.layout, shapes: [...shapesOf(plot.layout), ...ownFactor(points, palette)] },
      table,
    },
    ...accuracy,
  ];
}

function accuracyCurve(
  { original }: Report,
  points: Report["points"],
  x: Record<string, unknown>,
  palette: Palette,
): Figure[] {
  const means = points.map(({ factor, tasks }) => ({ factor, mean: meanAccuracy(tasks) }));
  if (means.every(({ mean }) => mean === null)) return [];
  const own = meanAccuracy(original?.tasks);
  const plot = linePlot(
    {
      series: [
        {
          name: "",
          role: "kept",
          points: means.map(({ factor, mean }) => ({
            x: factor,
            y: mean,
            words: `× ${factor}: ${percent(mean)} right`,
          })),
        },
      ],
      y: fractionScale([...means.map(({ mean }) => mean), own]),
      yLabel: "mean accuracy",
      x,
      xLabel: "factor of the super weights",
      reference: own === null ? undefined : { value: own, text: `original ${percent(own)}` },
      height: HEIGHT,
    },
    palette,
  );
  const top = means.reduce((a, b) => ((b.mean ?? 0) > (a.mean ?? 0) ? b : a));
  return [
    {
      id: "sensitivity-accuracy",
      title: "Accuracy as the super weights are scaled",
      caption: `Figure 6 of the paper: higher is better. ${PAPER}`,
      summary: `Mean accuracy is highest at × ${top.factor} with ${percent(top.mean)}; the original has ${percent(own)}.`,
      height: HEIGHT,
      ...plot,
      table: answersTable("Factor", [
        { name: "original", tasks: original?.tasks },
        ...points.map(({ factor, tasks }) => ({ name: `× ${factor}`, tasks })),
      ]),
    },
  ];
}

function sensitivityTable({ original }: Report, points: Report["points"], decimals: number): FigureTable {
  const names = taskNames([...points, ...(original ? [original] : [])]);
  const row = (label: string, scores: Report["points"][number] | NonNullable<Report["original"]>) => [
    label,
    scoreCell(scores.perplexity, scores.notFinite),
    scoreCell(scores.kl?.mean, scores.kl && scores.notFinite),
    scores.kl?.topAgreement ?? null,
    ...accuracyCells(names, scores.tasks),
  ];
  return {
    columns: [
      { title: "Factor", format: "text" },
      { title: "Perplexity", format: "perplexity", decimals },
      { title: "KL", format: "divergence" },
      { title: "Top-1 agreement", format: "percent" },
      ...accuracyColumns(names),
    ],
    rows: [
      ...(original ? [row("original", original)] : []),
      ...points.map((point) => row(`× ${point.factor}`, point)),
    ],
  };
}

function factorAxis(points: Report["points"]): Record<string, unknown> {
  const factors = points.map(({ factor }) => factor);
  const [low, high] = factors.length > 0 ? [Math.min(0, ...factors), Math.max(1, ...factors)] : [0, 3];
  const room = (high - low) * 0.03;
  return { type: "linear", range: [low - room, high + room], nticks: 8, tickprefix: "× " };
}

/** The keystone mark where the super weights are as the checkpoint has them. */
function ownFactor(points: Report["points"], palette: Palette): Record<string, unknown>[] {
  const own = points.find(({ factor }) => factor === 1)?.perplexity;
  return own == null ? [] : [keystoneShape(1, own, palette)];
}

function shapesOf(layout: Record<string, unknown>): Record<string, unknown>[] {
  return (layout["shapes"] ?? []) as Record<string, unknown>[];
}

function lowest(points: Report["points"]): Report["points"][number] | null {
  return points.reduce<Report["points"][number] | null>(
    (best, point) =>
      point.perplexity !== null && point.perplexity < (best?.perplexity ?? Infinity) ? point : best,
    null,
  );
}
