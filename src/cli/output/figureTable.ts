import type { FigureColumn, FigureTable } from "#shared/figures/index.ts";
import { cellText, type Cell } from "#shared/figures/table.ts";
import { fixed, percent } from "./numbers.ts";
import { textTable } from "./table.ts";

/** A figure's values as a table of text. */
export function figureTableText({ columns, rows }: FigureTable): string {
  return textTable(
    columns.map(({ title, format }) => ({ title, align: format === "text" ? "left" : "right" })),
    rows.map((row) => columns.map((column, i) => cell(row[i] ?? null, column))),
  );
}

/** Percentages as everywhere on the command line, the rest as in figures. */
function cell(value: Cell, column: FigureColumn): string {
  if (column.format !== "percent" || typeof value !== "number") return cellText(value, column);
  return column.decimals === undefined ? percent(value) : `${fixed(value * 100, column.decimals)}%`;
}
