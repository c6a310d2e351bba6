import type { FigureColumn, FigureTable } from "#shared/figures/index.ts";
import type { Cell } from "#shared/figures/table.ts";
import type { Compared } from "./compared.ts";

/** A column of a comparison: each has one way to be written. */
export const COLUMNS = {
  Perplexity: { title: "Perplexity", format: "perplexity", decimals: 4 },
  KL: { title: "KL", format: "divergence" },
  "Bits/weight": { title: "Bits/weight", format: "bits" },
  Weights: { title: "Weights", format: "count" },
  "Mean accuracy": { title: "Mean accuracy", format: "percent" },
  Recovered: { title: "Recovered", format: "percent", decimals: 0 },
  Value: { title: "Largest value", format: "number", decimals: 1 },
  "Stop words": { title: "Stop words", format: "percent" },
  "Entropy, nats": { title: "Entropy, nats", format: "number", decimals: 3 },
  Prompts: { title: "Prompts", format: "count" },
  Recipe: { title: "Recipe", format: "text" },
} as const satisfies Record<string, FigureColumn>;
export type Column = keyof typeof COLUMNS;

/** One measured point of one of the compared results. */
export interface Line {
  one: Omit<Compared, "report">;
  /** What was measured: a factor, a layer, a row of the experiment's table. */
  row: string;
  x?: number;
  /** What is drawn. */
  value: number | null;
  /** One for each of the comparison's columns. */
  cells: readonly Cell[];
}

/** A line a point, equal rows of all models under each other, so that the table can be read, sorted and taken elsewhere. */
export function compareTable(
  first: string,
  columns: readonly Column[],
  points: readonly Line[],
  times: boolean,
): FigureTable {
  const rows = [...new Set(points.map(({ row }) => row))];
  return {
    columns: [
      { title: first, format: "text" },
      { title: "Model", format: "text" },
      ...columns.map((column) => COLUMNS[column]),
      ...(times ? [{ title: "× original", format: "perplexity", decimals: 3 } as const] : []),
    ],
    rows: rows.flatMap((row) =>
      points
        .filter((point) => point.row === row)
        .map(({ one, cells, value }) => [
          row,
          `${one.letter} ${one.name}`,
          ...cells,
          ...(times ? [value] : []),
        ]),
    ),
  };
}
