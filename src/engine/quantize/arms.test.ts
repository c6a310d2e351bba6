import { describe, expect, it } from "vitest";
import { expectSum, float32Bound } from "../../../test/support/rounding.ts";
import { blockThreshold, tensorThreshold } from "./range/clipThreshold.ts";
import { quantizeDequantize } from "./quantizeDequantize.ts";
import { testPlan, testWeights } from "../../../test/support/quantize/testPlan.ts";

const threshold = (range: Parameters<typeof blockThreshold>[0], values: number[]): number =>
  blockThreshold(range, Float32Array.from(values), 0, values.length);

describe("clip thresholds", () => {
  it("zscore is mean|w| + z·std|w| with the sample standard deviation of the magnitudes", () => {
    expect(threshold({ method: "zscore", threshold: 2 }, [-1, 2, -3, 4])).toBe(
      Math.fround(2.5 + 2 * Math.sqrt(5 / 3)),
    );
  });

  it("zscore of one weight is its magnitude", () => {
    expect(threshold({ method: "zscore", threshold: 9 }, [-0.5])).toBe(0.5);
  });

  it("block-percentage takes the k-th largest, k = max(⌊n·p + 1⌋, 1), never past the last", () => {
    const values = [1, -2, 3, -4, 5, -6, 7, -8, 9, -10];
    const at = (p: number): number => threshold({ method: "block-percentage", threshold: p }, values);
    expect([0, 0.05, 0.1, 0.25, 1].map(at)).toEqual([10, 10, 9, 8, 1]);
  });

  it("tensor-percentage takes k = max(⌊N·p⌋, 1)", () => {
    const values = Float32Array.of(1, -2, 3, -4, 5, -6, 7, -8, 9, -10);
    expect([0, 0.05, 0.1, 0.25, 1].map((p) => tensorThreshold(values, p))).toEqual([10, 10, 10, 9, 1]);
  });

  it("iqr interpolates its quartiles linearly", () => {
    // |w| sorted: 1 2 3 10; Q1 = 1.75, Q3 = 4.75
    expect(threshold({ method: "iqr", threshold: 1.5 }, [10, -1, 2, -3])).toBe(4.75 + 1.5 * 3);
  });

  it("tensor-percentage cuts every block at one threshold", () => {
    const weights = Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40);
    const out = new Float32Array(8);
    const range = { method: "tensor-percentage", threshold: 0.5 } as const;
    const { clipped } = quantizeDequantize(
      weights,
      testPlan({ rows: 2, columns: 4 }, { granularity: "channel", bits: 8, range }),
      out,
    );
    expect(clipped).toBe(3);
    expect(Array.from(out.subarray(4))).toEqual([10, 10, 10, 10]);
  });

  it("mse keeps r = 1 where clipping gains nothing", () => {
    const weights = Float32Array.from({ length: 16 }, (_, i) => i);
    const out = new Float32Array(16);
    const statistics = quantizeDequantize(
      weights,
      testPlan({ rows: 1, columns: 16 }, { range: { method: "mse" } }),
      out,
    );
    expect(statistics).toMatchObject({ clipped: 0, sumSquaredError: 0 });
  });
});

describe("the arms on a block with one outlier", () => {
  const shape = { rows: 4, columns: 64 };
  const weights = testWeights(256);
  const outlier = 77;
  weights[outlier] = 1.9;
  const range = { method: "zscore", threshold: 3 } as const;
  const restore = { indices: [outlier] };
  const judge = (changes: Parameters<typeof testPlan>[1]): { out: Float32Array; error: number } => {
    const out = new Float32Array(256);
    const { sumSquaredError } = quantizeDequantize(weights, testPlan(shape, changes), out);
    return { out, error: sumSquaredError };
  };

  it("plain keeps the outlier and blurs its block mates", () => {
    const { out } = judge({});
    expectSum(out[outlier], 1.9, float32Bound({ magnitude: 1.9, terms: 3 }));
    expect(new Set(out.map((w) => w)).size).toBeLessThan(4);
  });

  it("clip destroys the outlier; clip-restore brings it back", () => {
    expect(judge({ range }).out[outlier]).toBeLessThan(1);
    expect(judge({ range, restore }).out[outlier]).toBe(weights[outlier]);
  });

  it("restore-only helps nobody but the outlier", () => {
    const [plain, restored] = [judge({}).out, judge({ restore }).out];
    plain[outlier] = weights[outlier];
    expect(restored).toEqual(plain);
  });

  it("hold-out gives the block mates the range that they have without the outlier", () => {
    const mates = weights.filter((_, i) => i !== outlier);
    const held = judge({ restore, excludeFromRange: true });
    const alone = new Float32Array(255);
    quantizeDequantize(mates, testPlan({ rows: 1, columns: 255 }), alone);
    expect(held.out.filter((_, i) => i !== outlier)).toEqual(alone);
    expect(held.out[outlier]).toBe(weights[outlier]);
    expect(held.error).toBeLessThan(judge({ range, restore }).error);
  });

  it("hold-out of a whole block leaves every weight exact", () => {
    const indices = Array.from({ length: 64 }, (_, i) => 64 + i);
    const { out } = judge({ granularity: "channel", restore: { indices }, excludeFromRange: true });
    expect(out.subarray(64, 128)).toEqual(weights.subarray(64, 128));
  });

  it("`largest` takes the earlier of equal magnitudes first", () => {
    const values = Float32Array.of(0.1, -0.7, 0.7, 0.33, 0.7, 0.2);
    const out = new Float32Array(6);
    const plan = testPlan(
      { rows: 1, columns: 6 },
      { bits: 2, range: { method: "block-percentage", threshold: 0.5 }, restore: { largest: 2 } },
    );
    quantizeDequantize(values, plan, out);
    expect([1, 2, 4].map((i) => out[i] === values[i])).toEqual([true, true, false]);
  });
});
