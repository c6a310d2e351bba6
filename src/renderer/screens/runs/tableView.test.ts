import { expect, it } from "vitest";
import { runTable } from "#shared/runTable/runTable.ts";
import { madeUpRun } from "../../../../test/support/madeUp/run.ts";
import { sortRows } from "../../parts/table.ts";
import { modelsOf } from "./models.ts";
import { readTableFilter, shownColumns } from "./tableView.ts";

const one = madeUpRun();
const origin = { exported: "", imported: "", keystone: "1.0.0", detailsLeftOut: 0 };
const two = {
  ...madeUpRun(),
  textHash: "b".repeat(64),
  summary: { ...one.summary, id: "run-2", name: "Second", modelName: "other-model", imported: origin },
};
const table = runTable([one, two]);

function matches(filter: string): number {
  const { test, unknown } = readTableFilter(filter);
  expect(unknown).toEqual([]);
  return table.rows.filter(test).length;
}

it("a filter tells runs, models, measurements and recipes apart, alone and together", () => {
  expect(matches("")).toBe(48);
  expect(matches("run = second")).toBe(24);
  expect(matches("model = other-model, bits = 4")).toBe(12);
  expect(matches("measured = 2")).toBe(24);
  expect(matches("imported, restored")).toBe(6);
  expect(matches("other-model, failed")).toBe(1);
  expect(matches("delta > 0, device = cpu")).toBe(46);
});

it("a filter says which fields there are not", () => {
  expect(readTableFilter("colour = red, bits = 4, __proto__ = 1").unknown).toEqual(["colour", "__proto__"]);
});

it("columns are sorted by what was measured: blocks by size, what is missing last", () => {
  const columns = shownColumns(table.columns);
  const sorted = (column: string, descending = false): readonly string[] =>
    sortRows(table.rows, columns, { column, descending }).map((row) => row.result.recipe.granularity);
  expect(sorted("granularity")[0]).toBe("group:64");
  expect(sorted("granularity", true)[0]).toBe("tensor");
  const byKl = sortRows(table.rows, columns, { column: "kl", descending: false });
  expect(byKl.at(-1)?.result.status).toBe("failed");
  const [first, second] = byKl;
  expect(first?.result.kl?.mean).toBeLessThanOrEqual(second?.result.kl?.mean ?? -1);
});

it("models are told apart by fingerprint, with their scored runs alone", () => {
  const run = (id: string, fingerprint: string, done: number) => ({ ...one.summary, id, fingerprint, done });
  expect(modelsOf([run("c", "1", 3), run("b", "2", 1), run("a", "1", 2), run("x", "3", 0)])).toMatchObject([
    { fingerprint: "1", runs: ["c", "a"] },
    { fingerprint: "2", runs: ["b"] },
  ]);
});
