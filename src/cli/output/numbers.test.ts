import { describe, expect, it } from "vitest";
import {
  duration,
  fileSize,
  fixed,
  memorySize,
  percent,
  perplexityDecimals,
  place,
  shortCount,
} from "./numbers.ts";

describe("numbers in tables", () => {
  it("have commas, a true minus, and no minus zero", () => {
    expect(fixed(44402244.763, 2)).toBe("44,402,244.76");
    expect(fixed(-0.8, 1)).toBe("−0.8");
    expect(fixed(-0.001, 2)).toBe("0.00");
  });

  it("say what is missing and what is not finite", () => {
    expect(fixed(null, 2)).toBe("–");
    expect(fixed(null, 2, true)).toBe("not finite");
    expect(fixed(NaN, 2)).toBe("not finite");
    expect(percent(undefined)).toBe("–");
  });

  it("are powers of ten where they have more digits than anyone reads", () => {
    expect([fixed(1.2e40, 4), shortCount(1.2e40)]).toEqual(["1.2 × 10⁴⁰", "1.2 × 10⁴⁰"]);
  });
  it("show sizes of files in decimal and of memory in binary units", () => {
    expect(fileSize(9_908_648)).toBe("9.91 MB");
    expect(fileSize(13_476_000_000)).toBe("13.48 GB");
    expect(memorySize(3.4 * 2 ** 30)).toBe("3.40 GiB");
    expect(memorySize(512 * 2 ** 20)).toBe("512 MiB");
  });

  it("are short in sentences", () => {
    expect(shortCount(1_280_000_000)).toBe("1.28 B");
    expect(shortCount(805_306_368)).toBe("805.3 M");
    expect(shortCount(812)).toBe("812");
  });

  it("show time as people say it", () => {
    expect(duration(4.21)).toBe("4.2 s");
    expect(duration(41)).toBe("41 s");
    expect(duration(59.7)).toBe("1:00");
    expect(duration(561)).toBe("9:21");
    expect(duration(6730)).toBe("1:52:10");
  });

  it("print a percentage with one decimal and a place in brackets", () => {
    expect(percent(0.93419)).toBe("93.4%");
    expect(place(137, 401)).toBe("[137, 401]");
  });
});

describe("decimals of a perplexity column", () => {
  it("are two where that separates the best from the original", () => {
    expect(perplexityDecimals(1.867, [3.2, 2.03])).toBe(2);
  });

  it("are as many as it takes, and never more than four", () => {
    expect(perplexityDecimals(1.86705, [1.8691])).toBe(3);
    expect(perplexityDecimals(1.86705, [1.86708])).toBe(4);
    expect(perplexityDecimals(1.867052, [1.867053])).toBe(4);
  });

  it("ignore what is not finite", () => {
    expect(perplexityDecimals(1.867, [null, Infinity])).toBe(2);
  });
});
