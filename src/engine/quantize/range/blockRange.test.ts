import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockRange } from "./blockRange.ts";

const extremes = (values: Float32Array, from: number, to: number): [number, number] => {
  const range = new BlockRange(values);
  range.scan(from, to);
  return [range.low + 0, range.high + 0];
};

describe("BlockRange", () => {
  it.each([
    ["below 2", 1.999],
    ["of any size", 3e38],
  ])("finds the smallest and the largest of weights %s, at any length", (_, largest) => {
    const bound = Math.fround(largest);
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -bound, max: bound, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(1, 1025),
        (list, times) => {
          const values = Float32Array.from({ length: list.length * times }, (_, i) => list[i % list.length]);
          expect(extremes(values, 0, values.length)).toEqual([Math.min(...list) + 0, Math.max(...list) + 0]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("looks at its range only", () => {
    const values = Float32Array.of(-1, 0.25, -0.5, 0.125, 1);
    expect(extremes(values, 1, 4)).toEqual([-0.5, 0.25]);
  });
});
