import { describe, expect, it } from "vitest";
import { candidateOf, effectOf, madeUpDetection } from "../../../../test/support/madeUp/detection.ts";
import {
  byEffect,
  candidateKey,
  measuredCount,
  upperWords,
  viewOfPreview,
  viewOfReport,
} from "./searchView.ts";

const report = madeUpDetection();

describe("a finished search", () => {
  const view = viewOfReport(report);
  it("keeps what the model can't live without apart from what is merely large", () => {
    expect(view.upper.map(({ verdict }) => verdict)).toEqual([
      "super",
      "super",
      ...Array<string>(6).fill("together"),
    ]);
    expect(view.large.filter(({ candidate }) => candidate).length).toBe(5);
    expect(view.large.filter(({ what }) => what === "Large value").map(({ layer }) => layer)).toEqual([0, 5]);
  });
  it("says how many matter only together", () => {
    expect(upperWords(view)).toEqual({
      title: "What the model can't live without",
      note: "the largest effect first; 6 of 8 only together with others",
    });
  });
  it("calls the list what the evidence proposes where effects were not measured", () => {
    expect(upperWords(viewOfReport({ ...report, judged: null })).title).toBe("What the evidence proposes");
  });
});

describe("a search on its way", () => {
  it("shows its layers before the first pass has ended, and the pass itself afterwards", () => {
    const preview = { layers: report.layers.slice(0, 3), candidates: [] };
    expect(viewOfPreview(preview, []).passes.map(({ layers }) => layers.length)).toEqual([3]);
    expect(viewOfPreview(preview, report.passes).passes).toBe(report.passes);
    expect(viewOfPreview(null, []).passes).toEqual([]);
  });
  it("ranks what is measured by effect, what is not finite first, what waits last in its order", () => {
    const waiting = candidateOf(5, 1, 1);
    const later = candidateOf(6, 1, 1);
    const small = candidateOf(7, 1, 1, { effect: effectOf(0.01) });
    const broken = candidateOf(8, 1, 1, { effect: effectOf(null) });
    expect(byEffect([waiting, small, later, broken]).map(candidateKey)).toEqual([
      "8/1/1",
      "7/1/1",
      "5/1/1",
      "6/1/1",
    ]);
    expect(measuredCount(viewOfPreview({ layers: [], candidates: [waiting, small] }, []))).toEqual({
      measured: 1,
      total: 2,
    });
  });
});
