import {
  bits,
  count,
  decimalsThatSeparate,
  divergence,
  factor,
  MISSING,
  number,
  percent,
  perplexity,
  power,
} from "../format.ts";

/** A number as measured, words, or null for what is missing. */
export type Cell = string | number | null;

/** How the numbers of a column are written. `percent` takes fractions, `probability` too. */
export type CellFormat =
  "text" | "count" | "number" | "perplexity" | "divergence" | "percent" | "probability" | "factor" | "bits";

export interface FigureColumn {
  readonly title: string;
  readonly format: CellFormat;
  /** Of `number`, `perplexity` and `percent`; each has its usual number. */
  readonly decimals?: number;
}

/** The values behind a chart, unrounded; the columns say how to write them. */
export interface FigureTable {
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What stands for a value that was measured and is not a finite number. */
export const NOT_FINITE = "not finite";

export function cellText(cell: Cell, { format, decimals }: FigureColumn): string {
  if (cell === null) return MISSING;
  if (typeof cell === "string") return cell;
  switch (format) {
    case "count":
      return count(cell);
    case "perplexity":
      return perplexityText(cell, decimals ?? 2);
    case "divergence":
      return divergenceText(cell);
    case "percent":
      return percent(cell, decimals ?? 1);
    case "probability":
      return probabilityText(cell);
    case "factor":
      return factor(cell);
    case "bits":
      return bits(cell);
    case "number":
      return number(cell, decimals ?? 2);
    case "text":
      return String(cell);
  }
}

/** A divergence with 4 decimals, or with two digits where 4 decimals would make small ones look alike: `0.00024`. */
export function divergenceText(value: number | null | undefined): string {
  if (value === null || value === undefined || value >= 0.001 || value < 1e-6) return divergence(value);
  return number(value, 1 - Math.floor(Math.log10(value)));
}

/** A probability in percent, in powers of ten where its decimals would hide it. */
export function probabilityText(value: number): string {
  return value > 0 && value < 0.00001 ? power(value) : percent(value, 3);
}

/** A perplexity with decimals where they mean something: full near the original, fewer further away, then powers of ten. */
export function perplexityText(value: number | null | undefined, decimals = 2): string {
  if (value === null || value === undefined || value >= 1e12) return perplexity(value);
  return number(value, value < 100 ? decimals : value < 1000 ? Math.min(2, decimals) : 0);
}

/** Fewest decimals, from 2 to 4, at which perplexities that differ are written differently. */
export function separatingDecimals(values: readonly (number | null | undefined)[]): number {
  const sorted = values.filter((value): value is number => typeof value === "number").sort((a, b) => a - b);
  return sorted.slice(1).reduce((most, value, i) => {
    const before = sorted[i] ?? value;
    return value === before ? most : Math.max(most, decimalsThatSeparate(before, value));
  }, 2);
}

/** Every cell as it is read. */
export function tableText({ columns, rows }: FigureTable): string[][] {
  return rows.map((row) => columns.map((column, i) => cellText(row[i] ?? null, column)));
}

/** The table as CSV [RFC 4180], numbers unrounded, missing cells empty. */
export function tableCsv({ columns, rows }: FigureTable): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  return lines.map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}

function csvCell(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A score for a cell: what overflowed is not the same as what is missing. */
export function scoreCell(value: number | null | undefined, notFinite?: boolean): Cell {
  return notFinite === true && (value === null || value === undefined) ? NOT_FINITE : (value ?? null);
}
