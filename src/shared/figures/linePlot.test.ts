import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { float64Bound } from "../../../test/support/rounding.ts";
import { apart } from "./linePlot.ts";

const LEAST = 14;
/** Places of up to 300 pixels, each moved by a sum of up to nine pushes. */
const ROUNDING = float64Bound({ magnitude: 300, terms: 9 * 9 });

describe("labels at the ends of lines", () => {
  it("stay where they are when they do not meet", () => {
    expect(apart([0, 40, 100], LEAST)).toEqual([0, 0, 0]);
  });
  it("share the push when they meet", () => {
    expect(apart([50, 50], LEAST)).toEqual([-7, 7]);
  });
  it("never overlap, and keep their order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 9 }), (places) => {
        const shifts = apart(places, LEAST);
        const moved = places.map((place, i) => ({ before: place, after: place + (shifts[i] ?? NaN) }));
        moved.sort((a, b) => a.after - b.after);
        for (let i = 1; i < moved.length; i++) {
          const [low, high] = [moved[i - 1], moved[i]];
          if (!low || !high) continue;
          expect(high.after - low.after).toBeGreaterThanOrEqual(LEAST - ROUNDING);
          expect(high.before).toBeGreaterThanOrEqual(low.before - ROUNDING);
        }
      }),
    );
  });
});
