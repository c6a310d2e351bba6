import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coarseToFine, planAxes } from "./order.ts";

describe("coarseToFine", () => {
  it("takes the ends of an axis first, then its middle, then the quarters", () => {
    expect(coarseToFine([9])).toEqual([0, 8, 4, 2, 6, 1, 3, 5, 7]);
  });

  it("finishes a grid's corners before any inner point", () => {
    const corners = new Set([0, 4, 20, 24]);
    expect(new Set(coarseToFine([5, 5]).slice(0, 4))).toEqual(corners);
  });

  it("names every point exactly once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }), (axes) => {
        const count = axes.reduce((product, length) => product * length, 1);
        const order = coarseToFine(axes);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });
});

describe("planAxes", () => {
  it("reads a grid's lengths in the order they are written", () => {
    expect(planAxes({ grid: { bits: [2, 3], granularity: ["a", "b", "c"] } }, 6)).toEqual([2, 3]);
  });

  it("treats a list, and a grid with points that coincide, as one axis", () => {
    expect(planAxes({ recipes: [] }, 7)).toEqual([7]);
    expect(planAxes({ grid: { bits: [2, 2] } }, 1)).toEqual([1]);
  });
});
