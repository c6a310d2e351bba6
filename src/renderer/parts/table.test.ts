import { describe, expect, it } from "vitest";
import { sortRows, windowOf, type Column } from "./table.ts";

interface Row {
  name: string;
  value: number | null;
}
const columns: Column<Row>[] = [
  { id: "name", header: "Name", text: (row) => row.name, sort: (row) => row.name },
  { id: "value", header: "Value", text: (row) => String(row.value), sort: (row) => row.value },
];
const rows: Row[] = [
  { name: "layer 10", value: 3 },
  { name: "layer 2", value: null },
  { name: "layer 1", value: -1 },
];
const names = (sorted: readonly Row[]): string[] => sorted.map((row) => row.name);

describe("sorting", () => {
  it("puts layer 2 before layer 10", () => {
    expect(names(sortRows(rows, columns, { column: "name", descending: false }))).toEqual([
      "layer 1",
      "layer 2",
      "layer 10",
    ]);
  });
  it("puts missing values last in both directions", () => {
    expect(names(sortRows(rows, columns, { column: "value", descending: false }))).toEqual([
      "layer 1",
      "layer 10",
      "layer 2",
    ]);
    expect(names(sortRows(rows, columns, { column: "value", descending: true }))).toEqual([
      "layer 10",
      "layer 1",
      "layer 2",
    ]);
  });
  it("keeps picks on top whatever the sort", () => {
    const top = (row: Row): boolean => row.name === "layer 2";
    expect(names(sortRows(rows, columns, { column: "value", descending: true }, top))).toEqual([
      "layer 2",
      "layer 10",
      "layer 1",
    ]);
  });
  it("leaves the order alone without a sort", () => {
    expect(sortRows(rows, columns, null)).toBe(rows);
  });
});

describe("the rendered window", () => {
  it("covers the visible rows and some around", () => {
    expect(windowOf(10_000, 28, 2800, 280)).toEqual({ from: 88, to: 122 });
  });
  it("begins at the first row and ends at the last", () => {
    expect(windowOf(10_000, 28, 0, 280).from).toBe(0);
    expect(windowOf(100, 28, 28 * 95, 280).to).toBe(100);
    expect(windowOf(5, 28, 0, 280)).toEqual({ from: 0, to: 5 });
  });
  it("still shows the end after the rows became fewer than what was scrolled past", () => {
    expect(windowOf(20, 28, 28 * 400, 280).from).toBeLessThan(20);
  });
});
