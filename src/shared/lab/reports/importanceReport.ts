import { z } from "zod";
import { finiteOrNull } from "../../numbers.ts";
import { facts } from "./facts.ts";
import { ablationRow, type AblationKind, type AblationRow } from "../../evaluation.ts";
import { magnitudeScale } from "../../figures/axes.ts";
import { dotPlot } from "../../figures/dotPlot.ts";
import type { Figure } from "../../figures/figure.ts";
import type { Role } from "../../figures/marks.ts";
import type { Palette } from "../../figures/palette.ts";
import {
  type FigureTable,
  NOT_FINITE,
  perplexityText,
  scoreCell,
  separatingDecimals,
} from "../../figures/table.ts";
import { accuracyCells, accuracyColumns, accuracyFigure, taskNames } from "../../figures/taskAccuracy.ts";

/** Table 1: original, pruned, pruned with the super activation kept, other outliers pruned. */
export const importanceReport = z.object({
  experiment: z.literal("importance"),
  ...facts,
  rows: z.array(ablationRow),
  /** Share of the lost accuracy (or, without tasks, of log perplexity) that keeping the super activation recovers, 0 … 1. */
  recovered: finiteOrNull,
});

type Report = z.output<typeof importanceReport>;

/** Table 1 of the paper as marks on one axis: what pruning one weight costs beside pruning thousands. */
export function importanceFigures(report: Report, palette: Palette): Figure[] {
  const states = statesOf(report.rows);
  const original = report.rows[0]?.perplexity ?? null;
  const decimals = separatingDecimals(report.rows.map((row) => row.perplexity));
  const accuracy = accuracyFigure(
    "importance-accuracy",
    "The right half of the paper's Table 1: in the paper, losing one weight costs half of the accuracy, losing 7,000 others less than a point.",
    states,
    palette,
  );
  const written = (row: AblationRow): string =>
    row.perplexity === null ? (row.notFinite ? NOT_FINITE : "") : perplexityText(row.perplexity, decimals);
  return [
    {
      id: "importance-perplexity",
      title: "Perplexity without the super weights",
      caption:
        "Table 1 of the paper. Left is better; the dotted line is the original. Pruned super weights (gold, hollow) against many more ordinary outliers (grey), and with their activation kept (gold, filled).",
      summary: `Perplexity: ${report.rows.map((row) => `${row.name} ${written(row)}`).join(", ")}.`,
      ...dotPlot(
        {
          rows: states.map((row) => ({
            label: row.weights > 0 ? `${row.name} (${row.weights.toLocaleString("en-US")})` : row.name,
            dots: [
              {
                role: row.role,
                value: row.perplexity,
                text: written(row),
                words: `${row.change}: ${written(row)}`,
              },
            ],
          })),
          x: magnitudeScale(report.rows.map((row) => row.perplexity)),
          xLabel: "perplexity",
          reference: original,
        },
        palette,
      ),
      table: importanceTable(report, decimals),
    },
    ...(accuracy ? [accuracy] : []),
  ];
}

function importanceTable({ rows }: Report, decimals: number): FigureTable {
  const names = taskNames(rows);
  return {
    columns: [
      { title: "State", format: "text" },
      { title: "What was done", format: "text" },
      { title: "Weights", format: "count" },
      { title: "Perplexity", format: "perplexity", decimals },
      { title: "KL", format: "divergence" },
      { title: "Top-1 agreement", format: "percent" },
      ...accuracyColumns(names),
    ],
    rows: rows.map((row) => [
      row.name,
      row.change,
      row.weights,
      scoreCell(row.perplexity, row.notFinite),
      scoreCell(row.kl?.mean, row.kl && row.notFinite),
      row.kl?.topAgreement ?? null,
      ...accuracyCells(names, row.tasks),
    ]),
  };
}

/** The rows with what their marks stand for; no two have the same mark. */
function statesOf(rows: readonly AblationRow[]): (AblationRow & { role: Role })[] {
  const taken = new Set<Role>();
  return rows.map((row, i) => {
    const role = taken.has(ROLES[row.kind]) ? i : ROLES[row.kind];
    taken.add(role);
    return { ...row, role };
  });
}

const ROLES: Readonly<Record<AblationKind, Role>> = {
  original: "original",
  "super-weights": "removed",
  "super-activation-kept": "kept",
  "largest-others": "quantized",
  "random-others": "clipped",
  "one-super-weight": "removed",
  scaled: "removed",
};
