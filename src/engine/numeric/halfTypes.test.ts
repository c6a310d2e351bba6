import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bitsOf, roundToStorage, toF16 } from "./halfTypes.ts";

function rounded(values: number[], storage: "F32" | "F16" | "BF16"): Float32Array {
  const array = Float32Array.from(values);
  roundToStorage(array, bitsOf(array), 0, array.length, storage);
  return array;
}

describe("roundToStorage", () => {
  it("rounds to F16 as Math.f16round does, bit for bit, signs of zero and infinities included", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), (values) => {
        expect(rounded(values, "F16")).toEqual(Float32Array.from(values, Math.f16round));
      }),
      { numRuns: 2000 },
    );
  });

  it("does so at every f16 value, halfway between each two, and one f32 step beside", () => {
    const patterns = new Uint16Array(0x7c01).map((_, i) => i);
    const halves = Array.from(new Float16Array(patterns.buffer).slice(0, 0x7c00));
    const near = halves.flatMap((value, i) => {
      const middle = (value + (halves[i + 1] ?? 65536)) / 2;
      return [value, middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23), -middle];
    });
    expect(rounded(near, "F16")).toEqual(Float32Array.from(near, (v) => Math.f16round(Math.fround(v))));
  });

  it("rounds to BF16 to the nearest value, ties to the even one", () => {
    const step = 2 ** -7;
    expect([
      ...rounded([1, 1 + step / 2, 1 + 1.5 * step, -1 - step / 2, 1 + step * 0.51, 3.4e38], "BF16"),
    ]).toEqual([1, 1, 1 + 2 * step, -1, 1 + step, Infinity]);
  });

  it("leaves F32 alone", () => {
    expect(rounded([0.1, -3.3e38], "F32")).toEqual(Float32Array.of(0.1, -3.3e38));
  });

  it("touches nothing outside its range", () => {
    const array = Float32Array.of(0.1, 0.1, 0.1);
    roundToStorage(array, bitsOf(array), 1, 2, "F16");
    expect(array).toEqual(Float32Array.of(0.1, Math.f16round(0.1), 0.1));
  });
});

describe("toF16", () => {
  it("gives 0 for what is nearer to 0 than to 2^−24, and Infinity from 65520 on", () => {
    expect([2 ** -25, 2 ** -24, 65519, 65520].map(toF16)).toEqual([0, 2 ** -24, 65504, Infinity]);
  });
});
