import type { FigureTable } from "#shared/figures/index.ts";
import { COLUMNS, type CompareColumn, type ComparePoint } from "#shared/lab/compareChart.ts";
import type { Compared } from "./compared.ts";

/** One measured point of one of the compared results. */
export interface Line extends Omit<ComparePoint, "of"> {
  readonly one: Omit<Compared, "report">;
}

/** A line a point, equal rows of all models under each other, so that the table can be read, sorted and taken elsewhere. */
export function compareTable(
  first: string,
  columns: readonly CompareColumn[],
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
