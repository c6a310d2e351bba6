import { z } from "zod";
import { scores, taskReport } from "../../evaluation.ts";
import { finiteOrNull } from "../../numbers.ts";
import { facts } from "./facts.ts";
import { percent } from "../../format.ts";
import { magnitudeScale, percentScale } from "../../figures/axes.ts";
import { dotPlot } from "../../figures/dotPlot.ts";
import type { Figure } from "../../figures/figure.ts";
import { linePlot } from "../../figures/linePlot.ts";
import type { Role } from "../../figures/marks.ts";
import type { Palette } from "../../figures/palette.ts";
import {
  divergenceText,
  type FigureTable,
  NOT_FINITE,
  perplexityText,
  scoreCell,
  separatingDecimals,
} from "../../figures/table.ts";
import {
  accuracyCells,
  accuracyColumns,
  answersTable,
  meanAccuracy,
  meanError,
  taskNames,
} from "../../figures/taskAccuracy.ts";

/** Tables 3 and 4. */
export const activationsReport = z.object({
  experiment: z.literal("activations"),
  ...facts,
  matmuls: z.boolean(),
  rows: z.array(
    z.object({
      name: z.string(),
      method: z.enum(["none", "naive", "smoothquant", "super-activation"]),
      per: z.enum(["token", "tensor"]).nullable(),
      weights: z.enum(["original", "8-bit", "8-bit clipped and restored"]),
      alpha: z.number().nullable(),
      scores,
      /** (naive − this) / (naive − original) of the NLL, as the paper's percent; null where naive loses nothing. */
      recovered: finiteOrNull,
      tasks: z.array(taskReport).optional(),
    }),
  ),
  alphaSearch: z.array(
    z.object({
      alpha: z.number(),
      per: z.enum(["token", "tensor"]),
      kl: finiteOrNull,
      perplexity: finiteOrNull,
    }),
  ),
});

type Report = z.output<typeof activationsReport>;

type Row = Report["rows"][number];

/** Tables 3 and 4 of the paper: what 8-bit activations cost, and what keeping the super activation buys. */
export function activationFigures(report: Report, palette: Palette): Figure[] {
  const original = report.rows.find(isOriginal)?.scores.perplexity ?? null;
  const values = report.rows.map(({ scores }) => scores.perplexity);
  const decimals = separatingDecimals(values);
  const written = ({ scores, recovered, method }: Row): string =>
    scores.perplexity === null
      ? scores.notFinite
        ? NOT_FINITE
        : ""
      : perplexityText(scores.perplexity, decimals) +
        (recovered === null || method === "naive" ? "" : `  (${percent(recovered, 0)})`);
  return [
    {
      id: "activations-perplexity",
      title: "Perplexity with 8-bit activations",
      caption:
        "Tables 3 and 4 of the paper: left is better, the dotted line is the original; in brackets, the share of naive rounding's loss that is recovered. In the paper keeping the super activation recovers 71 to 83% of what SmoothQuant gains on the Llama family, 60 to 84% of the whole loss on OLMo, and 9 to 25% on Mistral-7B and Llama-2-7B.",
      summary: `Perplexity: ${report.rows.map((row) => `${row.name} ${written(row)}`).join(", ")}.`,
      ...dotPlot(
        {
          rows: report.rows.map((row) => ({
            label: row.name,
            dots: [
              {
                role: roleOf(row),
                value: row.scores.perplexity,
                text: written(row),
                words: `${row.name}: ${written(row)}, KL ${divergenceText(row.scores.kl?.mean)}`,
              },
            ],
          })),
          x: magnitudeScale(values),
          xLabel: "perplexity",
          reference: original,
        },
        palette,
      ),
      table: activationTable(report, decimals),
    },
    divergenceFigure(report, decimals, palette),
    ...accuracyOf(report, palette),
    ...alphaFigure(report, palette),
  ];
}

/** KL divergence of each row: it tells rows apart where perplexity moves by less than the text can tell. */
function divergenceFigure(report: Report, decimals: number, palette: Palette): Figure {
  const rows = report.rows.filter((row) => !isOriginal(row));
  const valueOf = ({ scores }: Row): number | null => scores.kl?.mean || null;
  const written = (row: Row): string => divergenceText(row.scores.kl?.mean);
  return {
    id: "activations-kl",
    title: "KL divergence with 8-bit activations",
    caption:
      "Left is closer to the original. The paper reports perplexity alone; divergence tells rows apart where perplexity moves by less than the text can tell.",
    summary: `KL divergence: ${rows.map((row) => `${row.name} ${written(row)}`).join(", ")}.`,
    ...dotPlot(
      {
        rows: rows.map((row) => ({
          label: row.name,
          dots: [
            {
              role: roleOf(row),
              value: valueOf(row),
              text: valueOf(row) === null ? "" : written(row),
              words: `${row.name}: KL ${written(row)}`,
            },
          ],
        })),
        x: magnitudeScale(rows.map(valueOf)),
        xLabel: "KL, nats",
      },
      palette,
    ),
    table: activationTable(report, decimals),
  };
}

/** Mean accuracy of each row, where tasks were answered. */
function accuracyOf({ rows }: Report, palette: Palette): Figure[] {
  const answered = rows.filter(({ tasks }) => (tasks?.length ?? 0) > 0);
  if (answered.length === 0) return [];
  const written = ({ tasks }: Row): string => percent(meanAccuracy(tasks));
  const [several] = answered.map(({ tasks }) => (tasks?.length ?? 0) > 1);
  return [
    {
      id: "activations-accuracy",
      title: "Accuracy with 8-bit activations",
      caption:
        "Right is better, the dotted line is the original, bars are standard errors. The paper reports perplexity alone for 8-bit activations.",
      summary: `${several ? "Mean accuracy" : "Accuracy"}: ${answered.map((row) => `${row.name} ${written(row)}`).join(", ")}.`,
      ...dotPlot(
        {
          rows: answered.map((row) => ({
            label: row.name,
            dots: [
              {
                role: roleOf(row),
                value: meanAccuracy(row.tasks),
                text: "",
                words: `${row.name}: ${written(row)} right`,
                error: meanError(row.tasks) ?? undefined,
              },
            ],
          })),
          x: percentScale(),
          xLabel: several ? "mean accuracy" : "accuracy",
          reference: meanAccuracy(answered.find(isOriginal)?.tasks),
        },
        palette,
      ),
      table: answersTable("Row", answered),
    },
  ];
}

function alphaFigure({ alphaSearch }: Report, palette: Palette): Figure[] {
  if (alphaSearch.length === 0) return [];
  const kinds = [...new Set(alphaSearch.map(({ per }) => per))];
  const height = 240;
  const alphas = alphaSearch.map(({ alpha }) => alpha);
  const plot = linePlot(
    {
      series: kinds.map((per, i) => ({
        name: `per ${per}`,
        role: i,
        points: alphaSearch
          .filter((point) => point.per === per)
          .sort((a, b) => a.alpha - b.alpha)
          .map(({ alpha, kl }) => ({
            x: alpha,
            y: kl,
            words: `α ${alpha}, per ${per}: KL ${divergenceText(kl)}`,
          })),
      })),
      y: magnitudeScale(alphaSearch.map(({ kl }) => kl)),
      yLabel: "KL on the calibration text, nats",
      x: { type: "linear", range: [Math.min(...alphas) - 0.03, Math.max(...alphas) + 0.03], nticks: 8 },
      xLabel: "α of SmoothQuant",
      height,
    },
    palette,
  );
  return [
    {
      id: "activations-alpha",
      title: "SmoothQuant’s α, searched on the calibration text",
      caption:
        "How much of the difficulty moves from activations to weights; the α of least KL is the one evaluated above. The paper uses 0.85.",
      summary: `KL on the calibration text: ${alphaSearch.map(({ alpha, per, kl }) => `α ${alpha} per ${per} ${divergenceText(kl)}`).join(", ")}.`,
      height,
      ...plot,
      table: {
        columns: [
          { title: "α", format: "text" },
          { title: "Per", format: "text" },
          { title: "KL, calibration", format: "divergence" },
          { title: "Perplexity, calibration", format: "perplexity", decimals: 4 },
        ],
        rows: alphaSearch.map(({ alpha, per, kl, perplexity: value }) => [
          String(alpha),
          per,
          kl ?? NOT_FINITE,
          value ?? NOT_FINITE,
        ]),
      },
    },
  ];
}

function activationTable({ rows }: Report, decimals: number): FigureTable {
  const names = taskNames(rows);
  return {
    columns: [
      { title: "Row", format: "text" },
      { title: "Activations", format: "text" },
      { title: "Weights", format: "text" },
      { title: "Perplexity", format: "perplexity", decimals },
      { title: "Recovered", format: "percent", decimals: 0 },
      { title: "KL", format: "divergence" },
      { title: "Top-1 agreement", format: "percent" },
      ...accuracyColumns(names),
    ],
    rows: rows.map((row) => [
      row.name,
      row.per === null ? "unquantized" : `8-bit per ${row.per}`,
      row.weights,
      scoreCell(row.scores.perplexity, row.scores.notFinite),
      row.recovered,
      scoreCell(row.scores.kl?.mean, row.scores.kl && row.scores.notFinite),
      row.scores.kl?.topAgreement ?? null,
      ...accuracyCells(names, row.tasks),
    ]),
  };
}

function isOriginal({ method, weights }: Row): boolean {
  return method === "none" && weights === "original";
}

function roleOf(row: Row): Role {
  if (isOriginal(row)) return "original";
  if (row.method === "super-activation" || row.weights === "8-bit clipped and restored") return "kept";
  return row.method === "smoothquant" ? 0 : "quantized";
}
