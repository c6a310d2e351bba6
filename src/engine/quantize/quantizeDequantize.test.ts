import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectSum, float64Bound } from "../../../test/support/rounding.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { dequantize, quantize } from "./quantize.ts";
import { quantizeDequantize } from "./quantizeDequantize.ts";
import { referenceQuantizeDequantize } from "../../../test/support/quantize/reference.ts";
import {
  ALL_CLIPS,
  ALL_SCHEMES,
  BLOCKS_OF_6_BY_12,
  testPlan,
  testWeights,
} from "../../../test/support/quantize/testPlan.ts";
import type { TensorPlan } from "./plan/tensorPlan.ts";
import { soaked } from "../../../test/support/soak.ts";

const ROWS = 6;
const COLUMNS = 12;
const shape = { rows: ROWS, columns: COLUMNS };

/** Weights that occur: ordinary, equal, zero, tiny (subnormal in f16), large. Never past what a 2-bit f16 scale holds. */
const weight = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 0.5, -0.5, 0.25) },
  { weight: 1, arbitrary: fc.float({ min: Math.fround(-1e-6), max: Math.fround(1e-6), noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ min: -20000, max: 20000, noNaN: true }) },
);
const tensor = fc
  .oneof(
    fc.array(weight, { minLength: ROWS * COLUMNS, maxLength: ROWS * COLUMNS }),
    weight.map((w) => Array<number>(ROWS * COLUMNS).fill(w)),
  )
  .map((values) => Float32Array.from(values));

const arm = fc.oneof(
  fc.constant({ restore: { indices: [] as number[] }, excludeFromRange: false }),
  fc.record({
    restore: fc.oneof(
      fc
        .uniqueArray(fc.nat(ROWS * COLUMNS - 1), { minLength: 1, maxLength: 30 })
        .map((list) => ({ indices: list.sort((a, b) => a - b) })),
      fc.integer({ min: 1, max: 80 }).map((largest) => ({ largest })),
    ),
    excludeFromRange: fc.boolean(),
  }),
);

const plan: fc.Arbitrary<TensorPlan> = fc
  .record({
    scheme: fc.constantFrom(...ALL_SCHEMES),
    granularity: fc.constantFrom(...BLOCKS_OF_6_BY_12),
    range: fc.constantFrom(...ALL_CLIPS),
    storage: fc.constantFrom<StorageType>("F32", "F16", "BF16"),
    arm,
  })
  .map(({ scheme, granularity, range, storage, arm }) =>
    testPlan(shape, { ...scheme, granularity, range, storage, ...arm }),
  );

function judged(weights: Float32Array, plan: TensorPlan): Float32Array {
  const out = new Float32Array(weights.length);
  quantizeDequantize(weights, plan, out);
  return out;
}

const RUNS = soaked(600, 3000);

describe("quantizeDequantize", () => {
  it("gives the bits of the equations for every scheme, block, clip, arm and storage type", () => {
    fc.assert(
      fc.property(tensor, plan, (weights, plan) => {
        const expected = referenceQuantizeDequantize(weights, plan);
        const out = new Float32Array(weights.length);
        const statistics = quantizeDequantize(weights, plan, out);
        // Equality of values: a constant block of 0 and −0 is one value.
        expect(out.map((w) => w + 0)).toEqual(expected.out.map((w) => w + 0));
        expect(statistics.clipped).toBe(expected.clipped);
      }),
      { numRuns: RUNS },
    );
  });

  it("gives the bits of dequantize(quantize(w)), so that what is judged is what is exported", () => {
    fc.assert(
      fc.property(tensor, plan, (weights, plan) => {
        const packed = quantize(weights, plan);
        const out = new Float32Array(weights.length);
        const statistics = quantizeDequantize(weights, plan, out);
        expect(new Uint32Array(out.buffer)).toEqual(new Uint32Array(dequantize(packed).buffer));
        expect(statistics.clipped).toBe(packed.clipped);
        expect(statistics.restored).toBe(packed.restored.indices.length);
      }),
      { numRuns: RUNS },
    );
  });

  it("crosses every scheme with every block and clip", () => {
    const weights = testWeights(ROWS * COLUMNS);
    for (const scheme of ALL_SCHEMES) {
      for (const granularity of BLOCKS_OF_6_BY_12) {
        for (const range of ALL_CLIPS) {
          const plan = testPlan(shape, { ...scheme, granularity, range, storage: "F16" });
          expect(judged(weights, plan), JSON.stringify(plan)).toEqual(
            referenceQuantizeDequantize(weights, plan).out,
          );
        }
      }
    }
  });

  it("agrees with the equations on blocks longer than its chunks and its sort limit", () => {
    const large = { rows: 40, columns: 1000 };
    const weights = testWeights(40_000);
    for (const granularity of ["tensor", "flat:17000", "channel", "tile:20x500"]) {
      for (const range of ALL_CLIPS) {
        const plan = testPlan(large, {
          granularity,
          range,
          bits: 3,
          restore: { largest: 7 },
          excludeFromRange: true,
          storage: "BF16",
        });
        expect(judged(weights, plan), JSON.stringify(plan)).toEqual(
          referenceQuantizeDequantize(weights, plan).out,
        );
      }
    }
  });

  it("leaves the weights as they are", () => {
    const weights = testWeights(72);
    const before = weights.slice();
    for (const range of ALL_CLIPS)
      judged(
        weights,
        testPlan(shape, {
          range,
          restore: { indices: [3] },
          excludeFromRange: true,
          granularity: "tile:2x3",
        }),
      );
    expect(weights).toEqual(before);
  });

  it("restores exactly, in the original's own bits", () => {
    fc.assert(
      fc.property(tensor, plan, (weights, plan) => {
        const out = judged(weights, plan);
        for (const index of quantize(weights, plan).restored.indices) expect(out[index]).toBe(weights[index]);
      }),
      { numRuns: 300 },
    );
  });

  it("gives each block a result that no other block can change", () => {
    fc.assert(
      fc.property(
        tensor,
        fc.constantFrom(...ALL_SCHEMES),
        fc.constantFrom("group:4", "channel"),
        (weights, scheme, granularity) => {
          const plan = testPlan(shape, { ...scheme, granularity, range: { method: "zscore", threshold: 2 } });
          const rolled = Float32Array.from(weights, (_, i) => weights[(i + COLUMNS) % weights.length]);
          const out = judged(weights, plan);
          expect(judged(rolled, plan)).toEqual(
            Float32Array.from(out, (_, i) => out[(i + COLUMNS) % out.length]),
          );
        },
      ),
    );
  });

  it("sums the error against the original weights in f64", () => {
    const weights = Float32Array.of(0, 1, 2, 3.2);
    const out = new Float32Array(4);
    const statistics = quantizeDequantize(weights, testPlan({ rows: 1, columns: 4 }, { bits: 2 }), out);
    const errors = Array.from(weights, (w, i) => w - out[i]);
    const squares = 1 + 4 + weights[3] ** 2;
    const squaredErrors = errors.reduce((sum, e) => sum + e * e, 0);
    expectSum(statistics.sumSquares, squares, float64Bound({ magnitude: squares, terms: 4 }));
    expectSum(
      statistics.sumSquaredError,
      squaredErrors,
      float64Bound({ magnitude: squaredErrors, terms: 4 }),
    );
    expect(statistics.maxAbsError).toBe(Math.max(...errors.map(Math.abs)));
    expect(statistics.weights).toBe(4);
  });

  it.each([NaN, Infinity, -Infinity])("refuses %s, naming tensor, row and column", (bad) => {
    const weights = testWeights(72);
    weights[17] = bad;
    for (const scheme of ALL_SCHEMES) {
      for (const range of ALL_CLIPS) {
        const plan = testPlan(shape, { ...scheme, range, restore: { indices: [17] } });
        const refusal: unknown = expect.objectContaining({
          code: "quantize/not-finite",
          details: expect.objectContaining({ tensor: "w", row: 1, column: 5 }) as unknown,
        });
        expect(() => judged(weights, plan)).toThrow(refusal);
        expect(() => quantize(weights, plan)).toThrow(refusal);
      }
    }
  });

  it("refuses a scale past f16 and a result past the storage type instead of writing Infinity", () => {
    const one = { rows: 1, columns: 2 };
    const overflow: unknown = expect.objectContaining({ code: "quantize/scale-overflow" });
    expect(() => judged(Float32Array.of(-7e5, 7e5), testPlan(one, { scheme: "int" }))).toThrow(overflow);
    expect(() => judged(Float32Array.of(7e4, 0), testPlan(one, { scheme: "nf4" }))).toThrow(overflow);
    const past: unknown = expect.objectContaining({ code: "quantize/storage-overflow" });
    const plan = testPlan(one, { scheme: "int", storage: "F16" });
    expect(() => judged(Float32Array.of(65504, 0), plan)).toThrow(past);
    expect(() => dequantize(quantize(Float32Array.of(65504, 0), plan))).toThrow(past);
    const range: unknown = expect.objectContaining({ code: "quantize/range-overflow" });
    expect(() => judged(Float32Array.of(-3e38, 3e38), testPlan(one))).toThrow(range);
  });

  it("refuses a tensor of another size than planned", () => {
    expect(() => judged(testWeights(71), testPlan(shape))).toThrow(/has 71 values; 6 × 12 needs 72/);
  });
});
