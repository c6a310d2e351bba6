import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectSum, float32Bound } from "../../../../test/support/rounding.ts";
import { dequantize, quantize, type Packed } from "../quantize.ts";
import { normalFloat } from "./normalFloatLevels.ts";
import { ALL_SCHEMES, testPlan, testWeights } from "../../../../test/support/quantize/testPlan.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

const line = (columns: number, changes: Parameters<typeof testPlan>[1] = {}): TensorPlan =>
  testPlan({ rows: 1, columns }, changes);
const roundTrip = (values: number[], changes: Parameters<typeof testPlan>[1] = {}): number[] =>
  Array.from(dequantize(quantize(Float32Array.from(values), line(values.length, changes))));

const ordinary = fc
  .array(fc.float({ min: -2, max: 2, noNaN: true, noDefaultInfinity: true }), {
    minLength: 16,
    maxLength: 16,
  })
  .map((values) => Float32Array.from(values));

describe("every scheme", () => {
  it("gives codes in range: 0 … 2^bits − 1, and from 1 on for symmetric int", () => {
    fc.assert(
      fc.property(ordinary, fc.constantFrom(...ALL_SCHEMES), (weights, scheme) => {
        const { codes } = quantize(weights, line(16, { ...scheme, granularity: "group:8" }));
        expect(Math.max(...codes)).toBeLessThan(2 ** scheme.bits);
        expect(Math.min(...codes)).toBeGreaterThanOrEqual(
          scheme.scheme === "int" && scheme.symmetric ? 1 : 0,
        );
      }),
    );
  });

  it("keeps a block of zeros zero", () => {
    for (const scheme of ALL_SCHEMES)
      expect(roundTrip([0, 0, 0, 0], scheme).map(Math.abs), JSON.stringify(scheme)).toEqual([0, 0, 0, 0]);
  });

  it("keeps a single-weight block finite and of its sign", () => {
    for (const scheme of ALL_SCHEMES) {
      for (const weight of [0.3, -0.3, 3e-8, -6e4]) {
        const [value] = roundTrip([weight], scheme);
        expect(Math.abs(value - weight), JSON.stringify({ scheme, weight })).toBeLessThanOrEqual(
          Math.abs(weight),
        );
      }
    }
  });
});

describe("affine", () => {
  it("errs by at most half a step, in f32 arithmetic", () => {
    fc.assert(
      fc.property(ordinary, fc.integer({ min: 2, max: 8 }), (weights, bits) => {
        const out = dequantize(quantize(weights, line(16, { bits })));
        const range = Math.max(...weights) - Math.min(...weights);
        // (w − lo)·s, q/s and the sum are rounded: as numbers of the range's size, or of the weights' where these lie far from 0
        const magnitude = Math.max(range, ...weights.map(Math.abs));
        const within = (0.5 * range) / (2 ** bits - 1) + float32Bound({ magnitude, terms: 3 });
        weights.forEach((w, i) => expect(Math.abs(w - out[i])).toBeLessThanOrEqual(within));
      }),
    );
  });

  it("keeps the smallest weight exactly: an outlier survives as an end point of its block", () => {
    const weights = testWeights(64);
    weights[9] = -1.9;
    expect(dequantize(quantize(weights, line(64)))[9]).toBe(Math.fround(-1.9));
  });

  it("leaves a constant block as it is", () => {
    expect(roundTrip([0.1, 0.1, 0.1])).toEqual([0.1, 0.1, 0.1].map(Math.fround));
  });

  it("uses 2^bits levels, not 2^(bits − 1)", () => {
    const weights = Array.from({ length: 16 }, (_, i) => i);
    expect(roundTrip(weights)).toEqual(weights);
  });

  it("rounds halves to the even code", () => {
    expect(roundTrip([0, 0.5, 1.5, 2.5, 3], { bits: 2 })).toEqual([0, 0, 2, 2, 3]);
  });

  it("survives a range whose scale passes f32", () => {
    const tiny = 2 ** -140;
    expect(roundTrip([0, tiny, 3 * tiny], { bits: 2 }).every(Number.isFinite)).toBe(true);
  });
});

describe("int", () => {
  const constants = (packed: Packed): { scale: number[]; zeroPoints: number[] } => {
    if (packed.constants.kind !== "integer") throw new Error("not an integer scheme");
    return { scale: Array.from(packed.constants.scale), zeroPoints: Array.from(packed.constants.zeroPoints) };
  };

  it("widens an asymmetric range to hold 0, so that 0 stays 0", () => {
    const packed = quantize(Float32Array.of(3, 15, 9), line(3, { scheme: "int" }));
    expect(constants(packed)).toEqual({ scale: [1], zeroPoints: [0] });
    expect(Array.from(dequantize(packed))).toEqual([3, 15, 9]);
    expect(roundTrip([-8, -1, 0, 7], { scheme: "int" })).toEqual([-8, -1, 0, 7]);
  });

  it("has symmetric levels −(2^(b−1) − 1) … 2^(b−1) − 1 around zero point 2^(b−1)", () => {
    const packed = quantize(Float32Array.of(-7, 7, 3, 0), line(4, { scheme: "int", symmetric: true }));
    expect(constants(packed)).toEqual({ scale: [1], zeroPoints: [8] });
    expect(Array.from(packed.codes)).toEqual([1, 15, 11, 8]);
    expect(Array.from(dequantize(packed))).toEqual([-7, 7, 3, 0]);
  });

  it("stores its scale in f16, and 2^−24 where that would be 0", () => {
    expect(constants(quantize(Float32Array.of(0, 1), line(2, { scheme: "int" }))).scale).toEqual([
      Math.f16round(1 / 15),
    ]);
    expect(constants(quantize(Float32Array.of(0, 1e-9), line(2, { scheme: "int" }))).scale).toEqual([
      2 ** -24,
    ]);
  });

  it("gives its own result again when quantized twice with the scale it chose, where the range is kept", () => {
    fc.assert(
      fc.property(ordinary, fc.integer({ min: 2, max: 8 }), (weights, bits) => {
        weights[0] = 2; // the largest magnitude, so that symmetric blocks keep their scale
        const plan = line(16, { scheme: "int", symmetric: true, bits });
        const once = dequantize(quantize(weights, plan));
        const scale = Math.f16round(2 / (2 ** (bits - 1) - 1));
        const again = dequantize(quantize(once, plan));
        const unchanged = Math.f16round(Math.fround(once[0] / (2 ** (bits - 1) - 1))) === scale;
        if (unchanged) expect(again).toEqual(once);
      }),
    );
  });
});

describe("NormalFloat", () => {
  it("gives every level back exactly, at both widths and mappings", () => {
    for (const bits of [3, 4]) {
      const levels = Array.from(normalFloat(bits).levels);
      expect(roundTrip(levels, { scheme: bits === 3 ? "nf3" : "nf4", bits })).toEqual(levels);
      const again = roundTrip(levels, { scheme: bits === 3 ? "nf3-minmax" : "nf4-minmax", bits });
      again.forEach((value, i) => expectSum(value, levels[i], float32Bound({ magnitude: 2, terms: 3 })));
    }
  });

  it("takes the nearest level, and the lower one of two at the same distance", () => {
    const { levels } = normalFloat(4);
    const middle = levels[8] / 2; // between 0 and the first level above it: exact in f32
    const [below, above] = [middle - 2 ** -20, middle + 2 ** -20];
    expect(roundTrip([1, -1, middle, below, above], { scheme: "nf4" })).toEqual([1, -1, 0, 0, levels[8]]);
  });

  it("keeps and applies its scale as f16", () => {
    const packed = quantize(Float32Array.of(0.1, -0.05), line(2, { scheme: "nf4" }));
    expect(packed.constants).toEqual({ kind: "levels", scale: Float16Array.of(0.1) });
    expect(dequantize(packed)[0]).toBe(Math.f16round(0.1));
  });

  it("leaves a constant block as it is in the min–max variant", () => {
    expect(roundTrip([0.1, 0.1], { scheme: "nf4-minmax" })).toEqual([0.1, 0.1].map(Math.fround));
  });
});
