import { z } from "zod";
import { scores, taskReport } from "../../evaluation.ts";
import { finiteOrNull } from "../../numbers.ts";
import { granularityText, rangeRule } from "../../recipe.ts";
import { bits, facts } from "./facts.ts";
import { divergence, list, percent } from "../../format.ts";
import { granularityLabel, rangeLabel } from "../../recipeText.ts";
import { fractionScale, magnitudeScale } from "../../figures/axes.ts";
import type { Figure } from "../../figures/figure.ts";
import { linePlot, type Series } from "../../figures/linePlot.ts";
import { blockAxis, sortBlocks } from "../../figures/blockAxis.ts";
import type { Palette } from "../../figures/palette.ts";
import { type FigureTable, perplexityText, scoreCell, separatingDecimals } from "../../figures/table.ts";
import {
  accuracyCells,
  accuracyColumns,
  answersTable,
  meanAccuracy,
  taskNames,
} from "../../figures/taskAccuracy.ts";
import { trialFigure } from "./trials.ts";

/** Figure 7: one cell per bits, block and arm. */
export const blockScalingReport = z.object({
  experiment: z.literal("block-scaling"),
  ...facts,
  original: scores.extend({ tasks: z.array(taskReport).optional() }).nullable(),
  cells: z.array(
    z.object({
      bits,
      granularity: granularityText,
      arm: z.enum(["plain", "clip-restore"]),
      /** The clip of least KL on the calibration text; null for plain. */
      range: rangeRule.nullable(),
      calibrationKl: finiteOrNull,
      bitsPerWeight: z.number(),
      scores,
      tasks: z.array(taskReport).optional(),
    }),
  ),
  /** Every clip tried, with its KL on the calibration text. */
  trials: z.array(
    z.object({
      bits,
      granularity: granularityText,
      range: rangeRule,
      kl: finiteOrNull,
      perplexity: finiteOrNull,
    }),
  ),
});

type Report = z.output<typeof blockScalingReport>;

type BlockCell = Report["cells"][number];

const HEIGHT = 300;
const ARMS = ["plain", "clip-restore"] as const;

/** What an arm did with this model's outliers: without super weights there is nothing to restore. */
function armOf(report: Report, arm: BlockCell["arm"]) {
  if (arm === "plain") return { role: "quantized", name: "rounded", cell: "plain" } as const;
  return report.superWeights.length > 0
    ? ({ role: "kept", name: "clipped, restored", cell: "clip, restore" } as const)
    : ({ role: "clipped", name: "clipped", cell: "clip" } as const);
}

/** Figure 7 of the paper, one chart a bit width: how quality falls as blocks grow, with and without restoration. */
export function blockScalingFigures(report: Report, palette: Palette): Figure[] {
  const widths = [...new Set(report.cells.map(({ bits }) => bits))].sort((a, b) => b - a);
  const granularities = sortBlocks(
    report.cells.map((cell) => ({ ...cell, bitsPerWeight: cell.bitsPerWeight - cell.bits })),
  );
  return widths.flatMap((bits) => {
    const cells = report.cells.filter((cell) => cell.bits === bits);
    return [
      perplexityFigure(report, bits, cells, granularities, palette),
      ...accuracyByBlock(report, bits, cells, granularities, palette),
      ...thresholdFigures(report, bits, cells, palette),
    ];
  });
}

function perplexityFigure(
  report: Report,
  bits: number,
  cells: readonly BlockCell[],
  granularities: readonly string[],
  palette: Palette,
): Figure {
  const original = report.original?.perplexity ?? null;
  const values = cells.map(({ scores }) => scores.perplexity);
  const decimals = separatingDecimals([...values, original]);
  const plot = linePlot(
    {
      series: ARMS.map((arm): Series => {
        const { name, role } = armOf(report, arm);
        return {
          name,
          role,
          points: placed(cells, granularities, arm).map(({ x, cell }) => ({
            x,
            y: cell.scores.perplexity,
            words: `${granularityLabel(cell.granularity)}, ${name}: perplexity ${perplexityText(cell.scores.perplexity, decimals)}`,
          })),
        };
      }),
      y: magnitudeScale([...values, original]),
      yLabel: "perplexity",
      x: blockAxis(granularities),
      xLabel: "weights that share one scale",
      reference:
        original === null
          ? undefined
          : { value: original, text: `original ${perplexityText(original, decimals)}` },
      height: HEIGHT,
    },
    palette,
  );
  return {
    id: `block-scaling-int${bits}`,
    title: `INT${bits}: perplexity by block size`,
    caption: `Figure 7 of the paper: lower is better. ${report.superWeights.length > 0 ? "Gold = outliers clipped, super weights restored" : "Clipped = outliers clipped, no super weight to restore"}, each with the threshold of least KL on the calibration text; grey = plain rounding. N × N in the paper is a run of N² consecutive weights.`,
    summary: summaryOf(report, bits, cells, granularities),
    height: HEIGHT,
    ...plot,
    table: blockTable(report, cells, granularities, decimals),
  };
}

function accuracyByBlock(
  report: Report,
  bits: number,
  cells: readonly BlockCell[],
  granularities: readonly string[],
  palette: Palette,
): Figure[] {
  const means = cells.map(({ tasks }) => meanAccuracy(tasks));
  if (means.every((mean) => mean === null)) return [];
  const own = meanAccuracy(report.original?.tasks);
  const plot = linePlot(
    {
      series: ARMS.map((arm): Series => {
        const { name, role } = armOf(report, arm);
        return {
          name,
          role,
          points: placed(cells, granularities, arm).map(({ x, cell }) => {
            const mean = meanAccuracy(cell.tasks);
            return {
              x,
              y: mean,
              words: `${granularityLabel(cell.granularity)}, ${name}: ${percent(mean)} right`,
            };
          }),
        };
      }),
      y: fractionScale([...means, own]),
      yLabel: "mean accuracy",
      x: blockAxis(granularities),
      xLabel: "weights that share one scale",
      reference: own === null ? undefined : { value: own, text: `original ${percent(own)}` },
      height: HEIGHT,
    },
    palette,
  );
  return [
    {
      id: `block-scaling-int${bits}-accuracy`,
      title: `INT${bits}: accuracy by block size`,
      caption:
        "Figure 7 of the paper in its own measure, mean zero-shot accuracy: higher is better. In the paper restoring gains nothing at 128 × 128 and most where plain rounding has already collapsed.",
      summary: `Mean accuracy at INT${bits} by block: ${cells.map(({ granularity, arm, tasks }) => `${granularityLabel(granularity)} ${armOf(report, arm).name} ${percent(meanAccuracy(tasks))}`).join(", ")}.`,
      height: HEIGHT,
      ...plot,
      table: answersTable("Block and arm", [
        { name: "original", tasks: report.original?.tasks },
        ...inOrder(cells, granularities).map(({ granularity, arm, tasks }) => ({
          name: `${granularityLabel(granularity)}, ${armOf(report, arm).cell}`,
          tasks,
        })),
      ]),
    },
  ];
}

function thresholdFigures(
  report: Report,
  bits: number,
  cells: readonly BlockCell[],
  palette: Palette,
): Figure[] {
  const trials = report.trials.filter((trial) => trial.bits === bits);
  if (trials.length === 0) return [];
  const chosen = new Map(
    cells.flatMap(({ granularity, range }) => (range ? [[granularity, rangeLabel(range)] as const] : [])),
  );
  const figure = trialFigure(
    {
      id: `block-scaling-int${bits}-thresholds`,
      title: `INT${bits}: the threshold of each block size`,
      caption:
        "KL divergence on the calibration text for every threshold tried; gold = the one evaluated on the other text. The paper does not print its thresholds.",
      loss: "KL, nats",
      trials: trials.map(({ granularity, range, kl }) => ({
        series: granularityLabel(granularity),
        range,
        loss: kl,
        best: chosen.get(granularity) === rangeLabel(range),
      })),
    },
    palette,
  );
  return [figure];
}

function placed(
  cells: readonly BlockCell[],
  granularities: readonly string[],
  arm: BlockCell["arm"],
): { x: number; cell: BlockCell }[] {
  return granularities.flatMap((granularity, x) => {
    const cell = cells.find((one) => one.granularity === granularity && one.arm === arm);
    return cell ? [{ x, cell }] : [];
  });
}

/** Block by block, plain first. */
function inOrder(cells: readonly BlockCell[], granularities: readonly string[]): BlockCell[] {
  return granularities.flatMap((granularity) =>
    ARMS.flatMap((arm) => placed(cells, [granularity], arm).map(({ cell }) => cell)),
  );
}

function blockTable(
  report: Report,
  cells: readonly BlockCell[],
  granularities: readonly string[],
  decimals: number,
): FigureTable {
  const names = taskNames([...cells, ...(report.original ? [report.original] : [])]);
  const rows = inOrder(cells, granularities);
  return {
    columns: [
      { title: "Granularity", format: "text" },
      { title: "Arm", format: "text" },
      { title: "Range", format: "text" },
      { title: "Bits/weight", format: "bits" },
      { title: "Perplexity", format: "perplexity", decimals },
      { title: "KL", format: "divergence" },
      { title: "Top-1 agreement", format: "percent" },
      { title: "KL, calibration", format: "divergence" },
      ...accuracyColumns(names),
    ],
    rows: [
      ...(report.original
        ? [
            [
              "original",
              "–",
              "–",
              null,
              scoreCell(report.original.perplexity, report.original.notFinite),
              null,
              null,
              null,
              ...accuracyCells(names, report.original.tasks),
            ],
          ]
        : []),
      ...rows.map((cell) => [
        granularityLabel(cell.granularity),
        armOf(report, cell.arm).cell,
        rangeLabel(cell.range) || "–",
        cell.bitsPerWeight,
        scoreCell(cell.scores.perplexity, cell.scores.notFinite),
        scoreCell(cell.scores.kl?.mean, cell.scores.notFinite),
        cell.scores.kl?.topAgreement ?? null,
        cell.calibrationKl,
        ...accuracyCells(names, cell.tasks),
      ]),
    ],
  };
}

function summaryOf(
  report: Report,
  bits: number,
  cells: readonly BlockCell[],
  granularities: readonly string[],
): string {
  const told = granularities.map((granularity) => {
    const kl = (arm: BlockCell["arm"]): string =>
      divergence(cells.find((cell) => cell.granularity === granularity && cell.arm === arm)?.scores.kl?.mean);
    return `${granularityLabel(granularity)} ${kl("plain")} rounded and ${kl("clip-restore")} ${report.superWeights.length > 0 ? "restored" : "clipped"}`;
  });
  return `KL divergence at INT${bits}: ${list(told)}.`;
}
