import { describe, expect, it } from "vitest";
import type { DetectPass, LayerPeaks } from "#shared/detection.ts";
import { candidateOf, madeUpDetection } from "../../../../test/support/madeUp/detection.ts";
import { clearSide, coordinatesJson, isCarried, marksOf, method, passValues, sumOf } from "./peaks.ts";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";

const peak = (value: number) => ({ value, token: 0, channel: 3 });
const layer = (index: number, value: number): LayerPeaks => ({
  layer: index,
  input: peak(value),
  output: peak(-value),
  residual: peak(value),
});

describe("values of a pass", () => {
  const passes: DetectPass[] = [
    { pass: 1, fromLayer: 0, layers: [layer(0, 2), layer(1, -90), layer(2, 3)], zeroed: [] },
    { pass: 2, fromLayer: 1, layers: [layer(1, 4), layer(2, 5)], zeroed: [[1, 7, 4]] },
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

describe("how a search was made", () => {
  const report = madeUpDetection();
  it("names the text, the null, the threshold and the time", () => {
    expect(method(report)).toBe(
      "The null is 0.0004. Effects are KL in nats per token on a short passage, 512 tokens, perplexity 16.10. " +
        "The largest effect of the other weights that were tried, the null, is 0.00040. " +
        "A super weight reaches 0.1860: 3.0% of the 6.20 nats that the model knows of the text, and 10 × the null. " +
        "1 of 8 coordinates are published. 4 passes of 2 tokens, 12 s.",
    );
  });
  it("says where the largest activation lies when there is no super weight", () => {
    expect(method({ ...report, superWeights: [] })).toContain(
      "The largest activation is 24,520.0, in channel 507 behind layer 11, on the token “Apple”.",
    );
  });
  it("copies coordinates as layer, row, column", () => {
    expect(coordinatesJson({ ...report, superWeights: report.superWeights.slice(0, 1) })).toBe(
      "[[11,507,1229]]",
    );
  });
});

describe("marks and sums", () => {
  it("shares a mark among weights of one column, and gives each row its own", () => {
    const weights = [candidateOf(1, 7, 4), candidateOf(1, 9, 4)];
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
  it("fills the bar where the other weights pull the other way", () => {
    const { others, widths } = sumOf(
      candidateOf(1, 7, 4, { contribution: 110, outputActivation: 104, share: 110 / 104 }),
    );
    expect(others).toBe(-6);
    expect(widths).toEqual([1, 0]);
  });
  it("splits the bar by share", () => {
    const { widths } = sumOf(candidateOf(1, 7, 4, { share: 0.9615 }));
    expect(widths[0].toFixed(4)).toBe("0.9615");
    expectSum(widths[0] + widths[1], 1, float64Bound({ magnitude: 1, terms: 2 }));
  });
});
