import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderStatistic } from "./orderStatistic.ts";
import { testWeights } from "../../../test/support/quantize/testPlan.ts";

function sortedRank(values: Float32Array, rank: number, absolute: boolean): number {
  return (absolute ? values.map(Math.abs) : values.slice()).sort()[rank];
}

describe("orderStatistic", () => {
  it("is the value at that place of the sorted range, whatever the length", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1, maxLength: 1500, noNaN: true }),
        fc.nat(),
        fc.boolean(),
        fc.constantFrom(1, 100),
        (values, place, absolute, times) => {
          const repeated = Float32Array.from(
            { length: values.length * times },
            (_, i) => values[i % values.length],
          );
          const rank = place % repeated.length;
          expect(orderStatistic(repeated, 0, repeated.length, rank, absolute) + 0).toBe(
            sortedRank(repeated, rank, absolute) + 0,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("looks at its range only", () => {
    const values = testWeights(5000);
    values[0] = 100;
    values[4999] = -100;
    const inner = values.slice(1, 4999);
    for (const rank of [0, 1, 2499, 4997]) {
      expect(orderStatistic(values, 1, 4999, rank, false)).toBe(sortedRank(inner, rank, false));
      expect(orderStatistic(values, 1, 4999, rank, true)).toBe(sortedRank(inner, rank, true));
    }
  });
});
