import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pooledBitsPerWeight } from "../plan/bitsPerWeight.ts";
import { quantize } from "../quantize.ts";
import { quantizeDequantize } from "../quantizeDequantize.ts";
import { referenceQuantizeDequantize } from "../../../../test/support/quantize/reference.ts";
import { bitsOf } from "#engine/numeric/halfTypes.ts";
import { testPlan } from "../../../../test/support/quantize/testPlan.ts";

const COLUMNS = 24;
const shape = { rows: 1, columns: COLUMNS };
const TYPES = ["f16", "bf16"] as const;

/** Of any magnitude up to 65280, the largest that is a value of both types. */
const weight = fc
  .record({ pattern: fc.integer({ min: 0, max: 0x477f0000 }), negative: fc.boolean() })
  .map(({ pattern, negative }) => {
    const value = new Float32Array(Uint32Array.of(pattern).buffer)[0];
    return negative ? -value : value;
  });
const tensor = fc
  .array(weight, { minLength: COLUMNS, maxLength: COLUMNS })
  .map((values) => Float32Array.from(values));

describe("a scheme that is a type", () => {
  it("gives the nearest value of the type, ties to even, then of the storage type, and puts restored weights back", () => {
    fc.assert(
      fc.property(
        tensor,
        fc.constantFrom(...TYPES),
        fc.constantFrom("F32" as const, "F16" as const, "BF16" as const),
        fc.uniqueArray(fc.nat(COLUMNS - 1), { maxLength: 4 }),
        (weights, scheme, storage, restored) => {
          const indices = restored.sort((a, b) => a - b);
          const plan = testPlan(shape, { scheme, bits: 16, storage, restore: { indices } });
          const out = new Float32Array(COLUMNS);
          const statistics = quantizeDequantize(weights, plan, out);
          expect(bitsOf(out)).toEqual(bitsOf(referenceQuantizeDequantize(weights, plan).out));
          expect(statistics).toMatchObject({ weights: COLUMNS, clipped: 0, restored: indices.length });
          const errors = weights.map((w, i) => Math.abs(w - out[i]));
          expect(statistics.maxAbsError).toBe(Math.max(...errors));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("takes 16 bits a weight, and no others", () => {
    expect(pooledBitsPerWeight([testPlan(shape, { scheme: "f16", bits: 16 })])).toBe(16);
  });

  it("refuses a weight past the largest of F16, and one that is not finite", () => {
    const judge = (scheme: "f16" | "bf16", value: number, storage: "F32" | "F16" = "F32") => {
      const weights = new Float32Array(COLUMNS).fill(0.5);
      weights[7] = value;
      return () =>
        quantizeDequantize(
          weights,
          testPlan(shape, { scheme, bits: 16, storage }),
          new Float32Array(COLUMNS),
        );
    };
    expect(judge("f16", 65520)).toThrow(/past the largest F16 value/);
    expect(judge("f16", 65519)).not.toThrow();
    expect(judge("bf16", 65520)).not.toThrow();
    expect(judge("bf16", 65504, "F16")).toThrow(/past the largest F16 value/);
    for (const scheme of TYPES) expect(judge(scheme, NaN)).toThrow(/NaN/);
  });

  it("has no codes to pack", () => {
    expect(() => quantize(new Float32Array(COLUMNS), testPlan(shape, { scheme: "f16", bits: 16 }))).toThrow(
      /has no codes/,
    );
  });
});
