import { describe, expect, it } from "vitest";
import { countNotFinite, requireFinite } from "./finite.ts";

describe("countNotFinite", () => {
  it("counts NaN and both infinities and nothing else", () => {
    expect(countNotFinite(Float32Array.of(0, -0, 1, 3.4028234663852886e38, 1e-45))).toBe(0);
    expect(countNotFinite(Float32Array.of(NaN, 1, Infinity, -Infinity))).toBe(3);
  });

  it("looks only at its own part of a buffer", () => {
    const whole = Float32Array.of(NaN, 1, 2, NaN);
    expect(countNotFinite(whole.subarray(1, 3))).toBe(0);
  });
});

describe("requireFinite", () => {
  it("names the tensor, the count and the first place", () => {
    expect(() => requireFinite("w", Float32Array.of(1, NaN, Infinity))).toThrow(
      'Tensor "w" holds 2 NaN or infinite values, the first at element 1.',
    );
  });

  it("lets finite weights pass", () => {
    expect(() => requireFinite("w", Float32Array.of(1, 2))).not.toThrow();
  });
});
