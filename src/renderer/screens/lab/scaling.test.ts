import { describe, expect, it } from "vitest";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";
import { labReportOf } from "../../../../test/support/labReports.ts";
import { taskOf } from "../../../../test/support/madeUp/facts.ts";
import { axisRange, factorEnds } from "#shared/figures/factorAxis.ts";
import { nearest, plotPlace, stepped, withPointsOf } from "./scaling.ts";

const report = labReportOf("sensitivity");

describe("the slider's keys", () => {
  it("move by 0.05, with Shift by 0.5, without drifting off the multiples", () => {
    let value = 1;
    for (let i = 0; i < 3; i++) value = stepped("ArrowRight", false, value, 0, 3) ?? NaN;
    expect(value).toBe(1.15);
    expect(stepped("ArrowLeft", true, 1.15, 0, 3)).toBe(0.65);
  });
  it("stop at the ends", () => {
    expect(stepped("ArrowRight", true, 2.8, 0, 3)).toBe(3);
    expect(stepped("Home", false, 2, 0, 3)).toBe(0);
    expect(stepped("End", false, 2, 0, 3)).toBe(3);
  });
  it("leave other keys to others", () => {
    expect(stepped("Tab", false, 1, 0, 3)).toBeNull();
  });
});

describe("the axis", () => {
  it("holds 0 to 3, and more where a factor lies beyond", () => {
    expect(factorEnds([0.5, 1])).toEqual([0, 3]);
    expect(factorEnds([-1, 4])).toEqual([-1, 4]);
  });
  it("places a value where the chart above does", () => {
    const range = axisRange([0, 3]);
    expectSum(plotPlace(1.5, range), 0.5, float64Bound({ magnitude: 3, terms: 4 }));
    expect(plotPlace(0, range)).toBeGreaterThan(0);
  });
});

it("names the scored factor that is nearest", () => {
  expect(nearest(report.points, 1.3)?.factor).toBe(1.5);
  expect(nearest([], 1)).toBeNull();
});

describe("points that were asked for later", () => {
  const single = {
    ...report,
    finding: { code: "made-up", text: "One factor." },
    points: [{ ...report.points[0], factor: 1.15 }],
  };

  it("join the curve in the order of their factors, under the finding of the longer report", () => {
    const joined = withPointsOf(single, [report]);
    expect(joined.points.map(({ factor }) => factor)).toEqual([0, 0.5, 0.8, 1, 1.15, 1.5, 3]);
    expect(joined.finding).toBe(report.finding);
  });
  it("do not join what was judged on another text, with other windows or on another model", () => {
    const others = [
      { ...single, text: "/other.txt" },
      { ...single, convention: { ...single.convention, windowCount: 3 } },
      { ...single, fingerprint: "another" },
    ];
    expect(withPointsOf(report, others).points).toHaveLength(report.points.length);
  });
  it("do not join what answered another task of the same name and as many items", () => {
    const answering = (path: string): typeof report => ({
      ...single,
      original: { ...report.points[0], tasks: [{ ...taskOf("validation", 0.5), path }] },
    });
    const [own, other] = [answering("/own/validation.jsonl"), answering("/piqa/validation.jsonl")];
    const later = { ...own, points: [{ ...report.points[0], factor: 2.5 }] };
    expect(withPointsOf(own, [later]).points).toHaveLength(2);
    expect(withPointsOf(own, [{ ...other, points: later.points }]).points).toHaveLength(1);
  });
  it("do not replace the report's own", () => {
    const again = { ...report, points: report.points.map((point) => ({ ...point, perplexity: 99 })) };
    expect(withPointsOf(report, [again]).points).toEqual(report.points);
  });
});
