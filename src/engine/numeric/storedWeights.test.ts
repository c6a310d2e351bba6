import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { narrowToHalves, notFiniteFrom, widenHalves } from "./storedWeights.ts";

/** Any f32 by its bits: subnormals, ties and the borders of f16 are as likely as anything else. */
const anyBits = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: 0x3300_0000, max: 0x3900_0000 }),
  fc.integer({ min: 0x477f_0000, max: 0x4780_1000 }),
  fc.integer({ min: 0, max: 0xffff }).map((upper) => (upper << 16) >>> 0),
  fc.integer({ min: 0, max: 0xffff }).map((upper) => ((upper << 16) | 0x8000) >>> 0),
);
const anyWeights = fc
  .array(anyBits, { minLength: 1, maxLength: 70 })
  .map((bits) => new Float32Array(Uint32Array.from(bits).buffer));

/** More than the kernels hold at once, and no whole vector at the end. */
const MANY = 3 * 16_384 + 5;

/** The upper half of an f32, rounded to nearest even by its lower half; NaN keeps a bit of its payload. */
function bf16Of(value: number): number {
  const [word] = new Uint32Array(Float32Array.of(value).buffer);
  if (Number.isNaN(value)) return 0x7fc0;
  const [lower, upper] = [word & 0xffff, word >>> 16];
  return lower > 0x8000 || (lower === 0x8000 && upper % 2 === 1) ? upper + 1 : upper;
}

function narrowed(weights: Float32Array, storage: "F16" | "BF16"): Uint16Array {
  const out = new Uint8Array(2 * weights.length);
  expect(narrowToHalves(weights, storage, out)).toBe(true);
  return new Uint16Array(out.buffer);
}

describe("the kernels for stored weights", () => {
  it("round every f32 to f16 as Float16Array does", () => {
    fc.assert(
      fc.property(anyWeights, (weights) => {
        const found = new Float16Array(narrowed(weights, "F16").buffer);
        expect(Array.from(found)).toEqual(Array.from(new Float16Array(weights)));
      }),
      { numRuns: 3000 },
    );
  });

  it("round every f32 to bf16, to nearest even, and keep NaN", () => {
    fc.assert(
      fc.property(anyWeights, (weights) => {
        narrowed(weights, "BF16").forEach((bits, i) => {
          if (Number.isNaN(weights[i])) expect(bits & 0x7fff).toBeGreaterThan(0x7f80);
          else expect(bits).toBe(bf16Of(weights[i]));
        });
      }),
      { numRuns: 3000 },
    );
  });

  it("give every pattern back that they widened, in more than one piece", () => {
    const patterns = Uint16Array.from({ length: MANY }, (_, i) => i);
    for (const storage of ["F16", "BF16"] as const) {
      const exponent = storage === "F16" ? 0x7c00 : 0x7f80;
      const finite = patterns.map((bits) => ((bits & exponent) === exponent ? 0 : bits));
      const wide = new Float32Array(MANY);
      expect(widenHalves(new Uint8Array(finite.buffer), storage, wide)).toBe(true);
      expect(narrowed(wide, storage)).toEqual(finite);
    }
  });

  it("find the piece that holds a NaN or an infinity, wherever it is", () => {
    const weights = new Float32Array(MANY);
    for (const value of [NaN, Infinity, -Infinity]) {
      for (const at of [0, 7, 16_383, 16_384, MANY - 5, MANY - 1]) {
        weights[at] = value;
        const begin = at - (at % 16_384);
        expect(notFiniteFrom(new Uint8Array(weights.buffer), "F32")).toBe(begin);
        for (const storage of ["F16", "BF16"] as const)
          expect(notFiniteFrom(new Uint8Array(narrowed(weights, storage).buffer), storage)).toBe(begin);
        weights[at] = 0;
      }
    }
    weights.fill(65_504);
    for (const storage of ["F16", "BF16"] as const)
      expect(notFiniteFrom(new Uint8Array(narrowed(weights, storage).buffer), storage)).toBe(-1);
    expect(notFiniteFrom(new Uint8Array(weights.buffer), "F32")).toBe(-1);
  });
});
