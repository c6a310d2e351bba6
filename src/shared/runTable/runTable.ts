import { separatingDecimals, tableCsv, type Cell, type FigureTable } from "../figures/table.ts";
import { list, plural } from "../format.ts";
import { columnText, tableColumns, type TableColumn } from "./columns.ts";
import { measuredSentence } from "./measured.ts";
import { tableRows, type MeasuredGroup, type TableRow, type TableRun } from "./rows.ts";

/** All variants of several runs: the columns that differ, and what is equal everywhere. */
export interface RunTable {
  readonly rows: readonly TableRow[];
  readonly groups: readonly MeasuredGroup[];
  readonly columns: readonly TableColumn[];
  /** Columns with one value in all rows, and that value as it is read. */
  readonly equal: readonly { readonly column: TableColumn; readonly text: string }[];
}

export function runTable(runs: readonly TableRun[]): RunTable {
  const { rows, groups } = tableRows(runs);
  const all = tableColumns(separatingDecimals(rows.map(({ result }) => result.perplexity)));
  const filled = all.filter((column) => rows.some((row) => column.value(row) !== null));
  const differs = new Set(filled.filter((column) => rows.length < 2 || hasSeveral(column, rows)));
  return {
    rows,
    groups,
    columns: filled.filter((column) => differs.has(column)),
    equal: filled.flatMap((column) => {
      const first = rows.find((row) => column.value(row) !== null);
      return first && !differs.has(column) ? [{ column, text: columnText(column, first) }] : [];
    }),
  };
}

/**
 * Whether a column has several values; that a variant has no figure yet is no other figure. Ends with the first that differs: most
 * columns of many rows are told by a few of them.
 */
function hasSeveral({ kind, value }: TableColumn, rows: readonly TableRow[]): boolean {
  let first: Cell | undefined;
  for (const row of rows) {
    const cell = value(row);
    if (cell === null && kind === "figure") continue;
    if (first === undefined) first = cell;
    else if (cell !== first) return true;
  }
  return false;
}

/** `Equal everywhere: Model demo, Granularity group 64, Range off.`; empty where nothing is. */
export function equalSentence({ equal }: Pick<RunTable, "equal">): string {
  if (equal.length === 0) return "";
  return `Equal everywhere: ${equal.map(({ column, text }) => `${column.title} ${text}`).join(" · ")}`;
}

/** What must be said where figures of several measurements stand in one table; null where all were measured alike. */
export function warningOf(groups: readonly MeasuredGroup[]): string | null {
  if (groups.length < 2) return null;
  const numbers = list(groups.map(({ number }) => number));
  return `These runs were measured in ${groups.length} ways (${numbers}). Perplexity and KL can be compared only between rows with the same number under Measured.`;
}

/** `1: text.txt (SHA-256 …): 5 windows … · 2 runs, 48 variants`. */
export function groupSentence({ number, measured, runs, variants }: MeasuredGroup): string {
  return `${number}: ${measuredSentence(measured)} · ${plural(runs, "run")}, ${plural(variants, "variant")}`;
}

/** Rows as CSV [RFC 4180]: every column, numbers unrounded, with the ids and what each was measured on. */
export function runTableCsv({ rows, groups, columns, equal }: RunTable): string {
  const all = inOrder(columns, equal);
  const sentences = new Map(groups.map((group) => [group.number, measuredSentence(group.measured)]));
  const text = (title: string) => ({ title, format: "text" as const });
  const table: FigureTable = {
    columns: [...all, text("Measured on"), text("Run id"), text("Recipe id")],
    rows: rows.map((row) => [
      ...all.map((column) => plainCell(column.value(row))),
      plainCell(sentences.get(row.measured) ?? null),
      row.run.id,
      row.result.id,
    ]),
  };
  return tableCsv(table);
}

/** A name that begins like a formula is no formula: spreadsheets run those of a file that somebody else made. */
function plainCell(cell: string | number | null): string | number | null {
  return typeof cell === "string" && /^[=+\-@\t]/.test(cell) ? `'${cell}` : cell;
}

/** Rows as Markdown: what is equal in a line above, then what differs. */
export function runTableMarkdown(table: RunTable): string {
  const { rows, groups, columns } = table;
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(" | ")} |`;
  const warning = warningOf(groups);
  return `${[
    ...(equalSentence(table) === "" ? [] : [markdownText(equalSentence(table)), ""]),
    ...(warning === null ? [] : [warning, ""]),
    ...groups.map((group) => `- Measured ${markdownText(groupSentence(group))}`),
    "",
    line(columns.map(({ title }) => title)),
    line(columns.map(({ format }) => (format === "text" ? "---" : "---:"))),
    ...rows.map((row) => line(columns.map((column) => columnText(column, row)))),
  ].join("\n")}\n`;
}

function markdownText(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_<>[\]]/g, "\\$&");
}

function markdownCell(text: string): string {
  return /^-+:?$/.test(text) ? text : markdownText(text).replaceAll("|", "\\|");
}

/** The table for programs: the measurements, then every row whole. */
export function runTableDocument({ rows, groups }: RunTable): object {
  return {
    measured: groups.map(({ number, measured: { text, textHash, convention } }) => ({
      ...{ number, text, textHash, convention },
    })),
    rows: rows.map(({ run, result, baseline, measured, calibration, device }) => ({
      run: run.id,
      ...{
        name: run.name,
        model: run.modelName,
        fingerprint: run.fingerprint,
        imported: run.imported !== null,
      },
      ...{ measured, calibration, device, originalPerplexity: baseline?.perplexity ?? null },
      ...result,
    })),
  };
}

function inOrder(columns: RunTable["columns"], equal: RunTable["equal"]): readonly TableColumn[] {
  const order = tableColumns(0).map(({ id }) => id);
  return [...columns, ...equal.map(({ column }) => column)].sort(
    (a, b) => order.indexOf(a.id) - order.indexOf(b.id),
  );
}
