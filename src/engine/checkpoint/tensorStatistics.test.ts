import { describe, expect, it } from "vitest";
import { tensorStatistics as schema } from "#shared/model.ts";
import { asMatrix, tensorStatistics } from "./tensorStatistics.ts";

describe("tensorStatistics", () => {
  it("gives the figures of a small matrix worked out by hand", () => {
    const w = Float32Array.of(0, 1, -4, 3, 0, 0);
    const found = tensorStatistics("w", w, 2, 3, 7);
    // mean 0; Σw² = 26; Σw⁴ = 1 + 256 + 81 = 338
    expect(found).toEqual({
      name: "w",
      count: 6,
      min: -4,
      max: 3,
      absMax: 4,
      absMaxAt: [0, 2],
      secondAbsMax: 3,
      mean: 0,
      standardDeviation: Math.sqrt(26 / 6),
      kurtosis: expect.closeTo(338 / 6 / (26 / 6) ** 2, 12) as number,
      p01: expect.closeTo(-3.8, 12) as number,
      p99: expect.closeTo(2.9, 12) as number,
      zeros: 3,
      notFiniteCount: 0,
      histogram: { from: -4, to: 3, counts: [1, 0, 0, 0, 3, 1, 1] },
      rowMaxima: [4, 3],
    });
    expect(schema.parse(found)).toEqual(found);
  });

  it("finds the kurtosis of a normal distribution near 3", () => {
    const w = Float32Array.from(
      { length: 200_000 },
      (_, i) => Math.sqrt(-2 * Math.log((i + 0.5) / 200_000)) * Math.cos(2.399963 * i),
    );
    const { kurtosis, standardDeviation } = tensorStatistics("w", w, 1, w.length);
    expect([kurtosis?.toFixed(1), standardDeviation?.toFixed(2)]).toEqual(["3.0", "1.00"]);
  });

  it("keeps its digits where the mean is large beside the spread", () => {
    const w = Float32Array.from({ length: 1000 }, (_, i) => 4096 + (i % 2) * 2 ** -10);
    expect(tensorStatistics("w", w, 1, 1000).standardDeviation).toBe(2 ** -11);
  });

  it("leaves NaN and infinities out of every figure and counts them", () => {
    const found = tensorStatistics("w", Float32Array.of(NaN, 1, Infinity, -Infinity, 3, NaN), 2, 3);
    expect(found).toMatchObject({
      notFiniteCount: 4,
      min: 1,
      max: 3,
      mean: 2,
      absMax: 3,
      absMaxAt: [1, 1],
      rowMaxima: [1, 3],
    });
    expect(found.histogram.counts.reduce((sum, count) => sum + count)).toBe(2);
  });

  it("gives null, not NaN, for a tensor with nothing finite in it and for an empty one", () => {
    for (const w of [Float32Array.of(NaN, NaN), new Float32Array()]) {
      const found = tensorStatistics("w", w, 1, w.length);
      expect(found).toMatchObject({
        min: null,
        max: null,
        absMax: null,
        mean: null,
        standardDeviation: null,
        kurtosis: null,
        p01: null,
        secondAbsMax: null,
      });
      expect(schema.parse(found)).toEqual(found);
    }
  });

  it("gives a constant tensor a spread of 0, no kurtosis and one bin", () => {
    const found = tensorStatistics("w", new Float32Array(10).fill(2), 2, 5, 4);
    expect(found).toMatchObject({
      standardDeviation: 0,
      kurtosis: null,
      secondAbsMax: 2,
      histogram: { from: 2, to: 2, counts: [10, 0, 0, 0] },
    });
  });

  it("thins row maxima to 512 bins that still show every outlier", () => {
    const w = new Float32Array(2000 * 2).fill(0.5);
    w[2 * 1501] = -7;
    const { rowMaxima } = tensorStatistics("w", w, 2000, 2);
    expect(rowMaxima).toHaveLength(512);
    expect(rowMaxima.map((value, bin) => ({ value, bin })).filter(({ value }) => value === 7)).toEqual([
      { value: 7, bin: Math.floor((1501 * 512) / 2000) },
    ]);
  });
});

describe("asMatrix", () => {
  it("makes one row of a vector and of a scalar, and joins trailing dimensions", () => {
    expect(asMatrix({ shape: [5], parameters: 5 })).toEqual({ rows: 1, columns: 5 });
    expect(asMatrix({ shape: [], parameters: 1 })).toEqual({ rows: 1, columns: 1 });
    expect(asMatrix({ shape: [2, 3, 4], parameters: 24 })).toEqual({ rows: 2, columns: 12 });
    expect(asMatrix({ shape: [0, 4], parameters: 0 })).toEqual({ rows: 0, columns: 0 });
  });
});
