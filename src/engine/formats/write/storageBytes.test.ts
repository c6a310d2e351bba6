import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { widen } from "#engine/numeric/widen.ts";
import { requireFinite, toStorageBytes } from "./storageBytes.ts";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -60_000, max: 60_000 });

function stored(value: number, storage: "F32" | "F16" | "BF16"): number {
  const out = new Float32Array(1);
  widen(toStorageBytes(Float32Array.of(value), storage, "w"), storage, out);
  return out[0];
}

describe("weights as stored bytes", () => {
  it("round to the nearest f16, ties to even", () => {
    fc.assert(fc.property(finite, (value) => Object.is(stored(value, "F16"), Math.f16round(value))));
  });

  it("round to the nearest bf16, ties to even", () => {
    const step = 2 ** -7;
    expect(stored(1 + step / 2, "BF16")).toBe(1);
    expect(stored(1 + 1.5 * step, "BF16")).toBe(1 + 2 * step);
    expect(stored(1 + step * 0.51, "BF16")).toBe(1 + step);
    fc.assert(
      fc.property(
        finite,
        (value) => Math.abs(stored(value, "BF16") - value) <= Math.max(Math.abs(value) * 2 ** -8, 2 ** -134),
      ),
    );
  });

  it("keep every f32 bit, the sign of zero included", () => {
    fc.assert(fc.property(finite, (value) => Object.is(stored(value, "F32"), Math.fround(value))));
    for (const storage of ["F32", "F16", "BF16"] as const)
      expect(Object.is(stored(-0, storage), -0)).toBe(true);
  });

  it("are refused where one is NaN, infinite, or becomes infinite by rounding", () => {
    for (const storage of ["F32", "F16", "BF16"] as const) {
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        expect(() => toStorageBytes(Float32Array.of(0, 1, value), storage, "w")).toThrow(
          /Tensor w, element 2, is NaN or infinite/,
        );
      }
    }
    expect(() => toStorageBytes(Float32Array.of(65_520), "F16", "w")).toThrow(/as F16/);
    expect(stored(65_519, "F16")).toBe(65_504);
    expect(() => toStorageBytes(Float32Array.of(3.4e38), "BF16", "w")).toThrow(/as BF16/);
  });

  it("are checked wherever their memory begins", () => {
    const bytes = new Uint8Array([9, 0, 0, 0, 0x7c]);
    expect(() => requireFinite(bytes.subarray(1), "F16", "w", 10)).toThrow(/element 11/);
    expect(() => requireFinite(new Uint8Array([9, 0, 0, 0xff, 0x7b]).subarray(1), "F16", "w")).not.toThrow();
  });
});
