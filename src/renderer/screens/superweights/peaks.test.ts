import { describe, expect, it } from "vitest";
import type { Candidate, DetectPass, DetectReport, LayerPeaks } from "#shared/detection.ts";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";
import {
  clearSide,
  coordinatesJson,
  finding,
  isCarried,
  marksOf,
  method,
  passValues,
  spreadLabels,
  sumOf,
} from "./peaks.ts";

const peak = (value: number) => ({ value, token: 0, channel: 3 });
const layer = (index: number, value: number): LayerPeaks => ({
  layer: index,
  input: peak(value),
  output: peak(-value),
  residual: peak(value),
});

function candidate(at: Partial<Candidate>): Candidate {
  return {
    layer: 1,
    row: 7,
    column: 4,
    tensor: "model.layers.1.mlp.down_proj.weight",
    value: 2,
    inputActivation: 50,
    outputActivation: 104,
    contribution: 100,
    share: 100 / 104,
    token: 0,
    pass: 1,
    rank: 1,
    sigma: 30,
    timesMedian: 9,
    published: null,
    nextLargest: [],
    verdict: "super-weight",
    reason: "",
    ...at,
  };
}

function report(superWeights: Candidate[]): DetectReport {
  return {
    model: "/m",
    fingerprint: "",
    revision: "",
    options: { prompt: "p", maxPasses: 12, threshold: { kind: "relative", factor: 8 }, minShare: 0.5 },
    tokens: [
      { id: 1, text: "a" },
      { id: 2, text: "b" },
    ],
    superWeights,
    candidates: [],
    layers: [layer(0, 2), layer(1, 104)],
    passes: [{ pass: 1, fromLayer: 0, layers: [], zeroed: null }],
    medianOutput: 2,
    thresholdOutput: 16,
    device: "cpu",
    seconds: 1,
    peakRssBytes: 1,
  };
}

describe("values of a pass", () => {
  const passes: DetectPass[] = [
    { pass: 1, fromLayer: 0, layers: [layer(0, 2), layer(1, -90), layer(2, 3)], zeroed: [1, 7, 4] },
    { pass: 2, fromLayer: 1, layers: [layer(1, 4), layer(2, 5)], zeroed: null },
  ];
  it("are absolute", () => {
    expect(passValues(passes, 0, "input", 3)).toEqual([2, 90, 3]);
  });
  it("carry over the layers that were not run again", () => {
    expect(passValues(passes, 1, "output", 3)).toEqual([2, 4, 5]);
  });
  it("are missing where no pass has come yet", () => {
    expect(passValues([], 0, "output", 2)).toEqual([null, null]);
  });
});

describe("the finding", () => {
  it("counts weights and names layers once", () => {
    expect(finding(report([candidate({})]))).toBe("1 super weight causes the spike in layer 1");
    expect(finding(report([candidate({}), candidate({ layer: 2 }), candidate({ layer: 1, row: 9 })]))).toBe(
      "3 super weights cause the spikes in layers 1 and 2",
    );
  });
  it("says that none was found, with the largest output and the threshold", () => {
    expect(finding(report([]))).toBe("No super weight found");
    expect(method(report([]), "1.0 s")).toContain("104.0, against a threshold of 16.0");
  });
  it("says what the weights share", () => {
    const both = report([candidate({ published: "Llama-7B" }), candidate({ layer: 2 })]);
    expect(method(both, "1.0 s")).toBe(
      "1 forward pass of 2 tokens in 1.0 s. Both lie in row 7. 1 of 2 coordinates are published.",
    );
  });
  it("copies coordinates as layer, row, column", () => {
    expect(coordinatesJson(report([candidate({})]))).toBe("[[1,7,4]]");
  });
});

describe("marks and sums", () => {
  it("shares a mark among weights of one column, and gives each row its own", () => {
    const weights = [candidate({}), candidate({ row: 9 })];
    expect(marksOf(weights, "input").length).toBe(1);
    expect(marksOf(weights, "output").map((mark) => mark.channel)).toEqual([7, 9]);
  });
  it("puts the threshold's label where the lines are not", () => {
    expect(clearSide([[2, 200, 3, 3, 3, 90]], 100)).toBe("left");
    expect(clearSide([[95, 200, 3, 3, 3, 3]], 100)).toBe("right");
  });
  it("says that the residual stream carries the value only where it does", () => {
    expect(isCarried([1, 250, 250, 250, 60], [1, 20, 20, 20, 50], 1)).toBe(true);
    expect(isCarried([1, 250, 250, 250, 60], [1, 120, 200, 300, 1200], 1)).toBe(false);
  });
  it("keeps labels a line apart and leaves far ones alone", () => {
    expect(spreadLabels([100, 98, 20])).toEqual([0, 13, 0]);
  });
  it("fills the bar where the other weights pull the other way", () => {
    const { others, widths } = sumOf(
      candidate({ contribution: 110, outputActivation: 104, share: 110 / 104 }),
    );
    expect(others).toBe(-6);
    expect(widths).toEqual([1, 0]);
  });
  it("splits the bar by share", () => {
    const { widths } = sumOf(candidate({}));
    expect(widths[0].toFixed(4)).toBe("0.9615");
    expectSum(widths[0] + widths[1], 1, float64Bound({ magnitude: 1, terms: 2 }));
  });
});
