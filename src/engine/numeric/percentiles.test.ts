import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentilesOf } from "./percentiles.ts";

/** The definition: sort, then interpolate between the two neighbours of rank fraction · (n − 1). */
function bySorting(values: Float32Array, fraction: number): number {
  const sorted = values.filter((value) => Number.isFinite(value)).sort();
  const at = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

describe("percentilesOf", () => {
  it("equals sorting and interpolating, for any floats", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, fraction) => {
          fc.pre(values.some((value) => Number.isFinite(value)));
          expect(percentilesOf(values, [fraction])[0] + 0).toBe(bySorting(values, fraction) + 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is exact where all values are nearly equal", () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => 1 + i * 2 ** -23);
    expect(percentilesOf(values, [0.01, 0.5, 0.99])).toEqual(
      [0.01, 0.5, 0.99].map((fraction) => bySorting(values, fraction)),
    );
  });

  it("leaves NaN and infinities out, and is NaN when nothing is left", () => {
    expect(percentilesOf(Float32Array.of(NaN, 3, Infinity, 1, -Infinity, 2), [0, 0.5, 1])).toEqual([1, 2, 3]);
    expect(percentilesOf(Float32Array.of(NaN), [0.5])).toEqual([NaN]);
    expect(percentilesOf(new Float32Array(), [0.5])).toEqual([NaN]);
  });
});
