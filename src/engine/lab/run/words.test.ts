import { describe, expect, it } from "vitest";
import { change, percent, tookBack } from "./words.ts";

describe("a share in words", () => {
  it("has three digits, or says that it is too small for any", () => {
    expect(percent(0.4217)).toBe("42.2%");
    expect(percent(0)).toBe("0%");
    expect(percent(2.21e-10)).toBe("less than 0.0001%");
    expect(percent(NaN)).toBe("not finite");
  });

  it("of a loss is taken back, or added where it is negative", () => {
    expect(tookBack(0.141, "it")).toBe("recovers 14.1% of it");
    expect(tookBack(-0.164, "it")).toBe("adds 16.4% to it");
    expect(tookBack(0, "the loss")).toBe("recovers 0% of the loss");
  });

  it("as a change keeps its sign and its digits, however small", () => {
    expect(change(0.0031)).toBe("+0.31%");
    expect(change(-0.02)).toBe("−2%");
    expect(change(-1e-9)).toBe("−0.0000001%");
  });
});
