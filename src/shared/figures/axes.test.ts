import { describe, expect, it } from "vitest";
import { fractionScale, magnitudeScale } from "./axes.ts";

describe("scales", () => {
  it("are linear for values close together and only as wide as they are", () => {
    const { log, range } = magnitudeScale([5.68, 5.83, null]);
    expect(log).toBe(false);
    expect(range[0]).toBeGreaterThan(5.6);
    expect(range[1]).toBeLessThan(5.9);
  });
  it("are logarithmic over decades, with ticks at powers of ten", () => {
    const { log, layout, range } = magnitudeScale([1.88, 11_953_626]);
    expect(log).toBe(true);
    expect(layout["tickvals"]).toEqual([1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]);
    expect(range[0]).toBeLessThan(Math.log10(1.88));
    expect(range[1]).toBeGreaterThan(Math.log10(11_953_626));
  });
  it("have ticks at 1-2-5 within two decades", () => {
    expect(magnitudeScale([2, 40]).layout["ticktext"]).toEqual(["2", "5", "10", "20"]);
  });
  it("bear a zero, one value and none", () => {
    expect(magnitudeScale([0, 100]).log).toBe(false);
    for (const values of [[], [3], [0]]) {
      const [low, high] = magnitudeScale(values).range;
      expect(high > low && Number.isFinite(high - low)).toBe(true);
    }
  });
  it("write close fractions with a decimal", () => {
    expect(fractionScale([0.86, 0.87]).layout["tickformat"]).toBe(".1%");
    expect(fractionScale([0.1, 0.9]).layout["tickformat"]).toBe(".0%");
  });
});
