import { expect, it } from "vitest";
import { madeUpRun } from "../../../test/support/madeUp/run.ts";
import { frontOf, modelPoints } from "./modelPoints.ts";
import { tableRows } from "./rows.ts";

const one = madeUpRun();
const two = { ...madeUpRun(), summary: { ...madeUpRun().summary, id: "run-2" } };
const { rows } = tableRows([one, two]);

it("every scored variant of every run is a point, the same recipe of two runs twice", () => {
  const points = modelPoints(rows, "bits", "kl");
  expect(points).toHaveLength(46);
  expect(new Set(points.map(({ row }) => row.key)).size).toBe(46);
  const [first] = points;
  expect(first).toMatchObject({ x: first?.row.result.bitsPerWeight, y: first?.row.result.kl?.mean });
});

it("the axes are what was chosen, and what was not measured or has no divergence is no point", () => {
  const [first] = modelPoints(rows, "file", "perplexity");
  expect(first).toMatchObject({ x: first?.row.result.fileBitsPerWeight, y: first?.row.result.perplexity });
  const bare = rows.map((row) => ({ ...row, result: { ...row.result, kl: null } }));
  expect(modelPoints(bare, "bits", "kl")).toEqual([]);
  const exact = { mean: 0, median: 0, p99: 0, max: 0, topAgreement: 1 };
  const same = rows.map((row) => ({ ...row, result: { ...row.result, kl: exact } }));
  expect(modelPoints(same, "bits", "kl")).toEqual([]);
});

it("the front falls from the smallest to the least damaged, and no point beats one of it in both", () => {
  const points = modelPoints(rows, "bits", "kl");
  const front = frontOf(points);
  expect(front.length).toBeGreaterThan(1);
  for (const [i, { x, y }] of front.entries()) {
    const before = front[i - 1];
    if (before) expect(x > before.x && y < before.y).toBe(true);
    expect(points.some((other) => other.x <= x && other.y < y)).toBe(false);
  }
});
