import { describe, expect, it } from "vitest";
import type { TensorInfo } from "#shared/model.ts";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";
import { bitsPerWeight, fileBitsPerWeight, pooledBitsPerWeight } from "./bitsPerWeight.ts";
import { quantizeDequantize } from "../quantizeDequantize.ts";
import { poolStatistics, sqnrDb, toTensorError } from "./statistics.ts";
import { testPlan, testWeights } from "../../../../test/support/quantize/testPlan.ts";

const square = { rows: 1024, columns: 1024 };

describe("bits per weight", () => {
  it.each([
    ["affine", 4, false, "group:64", 4.5],
    ["affine", 4, false, "group:128", 4.25],
    ["affine", 4, false, "flat:16384", 4 + 32 / 16384],
    ["affine", 3, false, "tile:128x128", 3 + 32 / 16384],
    ["int", 4, false, "group:32", 4 + 20 / 32],
    ["int", 4, true, "group:32", 4.5],
    ["nf4", 4, false, "group:64", 4.25],
    ["nf3", 3, false, "channel", 3 + 16 / 1024],
    ["nf4-minmax", 4, false, "group:64", 4.5],
  ] as const)("%s %i bits, symmetric %s, %s costs %f", (scheme, bits, symmetric, granularity, expected) => {
    expect(bitsPerWeight(testPlan(square, { scheme, bits, symmetric, granularity }))).toBe(expected);
  });

  it("counts the remainder of flat as a block", () => {
    expect(bitsPerWeight(testPlan({ rows: 1, columns: 10 }, { granularity: "flat:4" }))).toBe(
      (40 + 3 * 32) / 10,
    );
  });

  it("charges 48 bits for each restored weight", () => {
    const n = 1024 * 1024;
    expect(bitsPerWeight(testPlan(square, { restore: { indices: [1, 2] } }))).toBe((4 * n + 32 + 2 * 48) / n);
    expect(bitsPerWeight(testPlan({ rows: 1, columns: 4 }, { restore: { largest: 9 } }))).toBe(
      (16 + 32 + 4 * 48) / 4,
    );
  });

  it("pools by weights, and averages the file with what is not quantized", () => {
    const a = testPlan({ rows: 10, columns: 10 }, { name: "a" });
    const b = testPlan({ rows: 10, columns: 30 }, { name: "b", bits: 8 });
    expect(pooledBitsPerWeight([a, b])).toBe((432 + 2432) / 400);
    expect(pooledBitsPerWeight([])).toBe(0);
    const info = (name: string, parameters: number): TensorInfo => ({
      name,
      shape: [parameters],
      dtype: "F16",
      parameters,
      bytes: 2 * parameters,
      file: "f",
      begin: 0,
      end: 0,
      role: "other",
      layer: null,
      linear: false,
    });
    const plans = new Map([[a.name, a]]);
    expect(fileBitsPerWeight([info("a", 100), info("norm", 50)], plans)).toBe((432 + 800) / 150);
  });
});

describe("statistics", () => {
  const judged = (columns: number, bits: number): ReturnType<typeof quantizeDequantize> =>
    quantizeDequantize(
      testWeights(columns, bits),
      testPlan({ rows: 1, columns }, { bits }),
      new Float32Array(columns),
    );

  it("pools SQNR from sums, not from decibels", () => {
    const [a, b] = [judged(64, 3), judged(640, 5)];
    const pooled = poolStatistics([a, b]);
    expect(pooled.sqnrDb).toBe(
      10 * Math.log10((a.sumSquares + b.sumSquares) / (a.sumSquaredError + b.sumSquaredError)),
    );
    expect(pooled.bitsPerWeight).toBe((3 * 64 + 32 + 5 * 640 + 32) / 704);
    expect(pooled.maxAbsError).toBe(Math.max(a.maxAbsError, b.maxAbsError));
  });

  it("gives null where nothing differs", () => {
    expect(sqnrDb({ sumSquares: 1, sumSquaredError: 0 })).toBeNull();
    expect(poolStatistics([]).sqnrDb).toBeNull();
  });

  it("gains about 6 dB a bit on ordinary weights", () => {
    const [four, five] = [judged(256, 4), judged(256, 5)].map((s) => sqnrDb(s) ?? NaN);
    const DECIBEL_A_BIT = 6.02;
    expect(Math.abs(five - four - DECIBEL_A_BIT)).toBeLessThan(2);
  });

  it("adds odd and even lengths alike, a chunk at a time or at once", () => {
    for (const columns of [1, 2, 3, 16383, 16384, 16385, 40001]) {
      const weights = testWeights(columns);
      const out = new Float32Array(columns);
      const plan = testPlan({ rows: 1, columns }, { granularity: "flat:1000" });
      const { sumSquares, sumSquaredError } = quantizeDequantize(weights, plan, out);
      const sum = (f: (i: number) => number): number => weights.reduce((total, _, i) => total + f(i), 0);
      const squares = sum((i) => weights[i] ** 2);
      const errors = sum((i) => (weights[i] - out[i]) ** 2);
      expectSum(sumSquares, squares, float64Bound({ magnitude: squares, terms: columns }));
      expectSum(sumSquaredError, errors, float64Bound({ magnitude: errors, terms: columns }));
    }
  });

  it("gives a tensor's row of a result", () => {
    const plan = testPlan({ rows: 1, columns: 64 });
    const row = toTensorError(plan, judged(64, 4));
    expect(row).toMatchObject({
      name: "w",
      layer: 0,
      bits: 4,
      clipped: 0,
      restored: 0,
      weights: 64,
      bitsPerWeight: 4.5,
    });
    expect(row.meanSquaredError).toBeGreaterThan(0);
  });
});
