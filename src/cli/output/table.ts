import Table from "cli-table3";

export interface Column {
  title: string;
  /** Numbers stand right, text left. */
  align?: "left" | "right";
}

const NOTHING = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  right: "",
  "left-mid": "",
  "right-mid": "",
};
const HEAD_RULE = { ...NOTHING, mid: "─", "mid-mid": "──", middle: "  " };

/** A table of text cells: one hairline below the head, two spaces between columns, no frame, no colour. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map((column) => column.title),
    colAligns: columns.map((column) => column.align ?? "left"),
    chars: HEAD_RULE,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return `${table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}

/** Facts as `name  value` lines. */
export function factList(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}
