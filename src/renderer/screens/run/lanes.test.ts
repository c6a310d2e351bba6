import { describe, expect, it } from "vitest";
import { axisSeconds, laneSegments, timeTicks } from "./lanes.ts";
import { testResult } from "./testResult.ts";

const at = (
  id: string,
  worker: number,
  startedAt: number,
  finishedAt: number | null,
  status: "done" | "failed" | "running" = "done",
) => testResult({}, { id, worker, startedAt, finishedAt, status });

describe("the lanes", () => {
  it("share a wave's time equally among its variants", () => {
    const [lane] = laneSegments([at("a", 0, 0, 980), at("b", 0, 0, 1000), at("c", 0, 1000, 1500)], 1, 0);
    expect(lane).toEqual([
      { from: 0, to: 500, ids: ["a"], state: "done" },
      { from: 500, to: 1000, ids: ["b"], state: "done" },
      { from: 1000, to: 1500, ids: ["c"], state: "done" },
    ]);
  });
  it("show a wave that runs as one stretch up to now", () => {
    expect(
      laneSegments([at("a", 1, 200, null, "running"), at("b", 1, 200, null, "running")], 2, 900),
    ).toEqual([[], [{ from: 200, to: 900, ids: ["a", "b"], state: "running" }]]);
  });
  it("join neighbours where there are too many, but never a failure", () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      at(String(i), 0, i * 10, i * 10 + 10, i === 50 ? "failed" : "done"),
    );
    const [lane = []] = laneSegments(many, 1, 0, 10);
    expect(lane.length).toBeLessThanOrEqual(13);
    expect(lane.filter(({ state }) => state === "failed").map(({ ids }) => ids)).toEqual([["50"]]);
    expect(lane.flatMap(({ ids }) => ids)).toHaveLength(100);
  });
  it("leave out variants that never ran", () =>
    expect(laneSegments([testResult({}, { worker: null })], 1, 0)).toEqual([[]]));
});

describe("the time axis", () => {
  it("has at most eight ticks", () => {
    for (const seconds of [1, 45, 600, 7200, 90_000])
      expect(timeTicks(seconds).length).toBeLessThanOrEqual(8);
  });
  it("holds what is expected, and stands still while the estimate moves a little", () => {
    expect(axisSeconds(61, 100)).toBe(axisSeconds(63, 101));
    expect(axisSeconds(61, 100)).toBeGreaterThanOrEqual(161);
  });
});
