import type { Column } from "../../parts/table.ts";

/** Rows as CSV (RFC 4180). Numbers are written as they were measured, not as they are shown; missing ones are empty. */
export function toCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map((column) => column.header),
    ...rows.map((row) => columns.map((column) => exact(row, column))),
  ];
  return lines.map((cells) => cells.map(quoted).join(",")).join("\r\n") + "\r\n";
}

/** Rows as a Markdown table, numbers aligned to the right. */
export function toMarkdown<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")).join(" | ")} |`;
  return (
    [
      line(columns.map((column) => column.header)),
      line(columns.map((column) => (column.numeric ? "---:" : "---"))),
      ...rows.map((row) => line(columns.map((column) => column.text(row)))),
    ].join("\n") + "\n"
  );
}

function exact<Row>(row: Row, column: Column<Row>): string {
  if (!column.numeric || !column.sort) return column.text(row);
  const value = column.sort(row);
  return value === null ? "" : String(value);
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
