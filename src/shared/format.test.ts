import { describe, expect, it } from "vitest";
import * as f from "./format.ts";

describe("numbers", () => {
  it("writes thousands with a comma and a true minus", () => {
    expect(f.number(1234567.891)).toBe("1,234,567.89");
    expect(f.number(-0.8, 1)).toBe("−0.8");
    expect(f.signed(0.49)).toBe("+0.49");
    expect(f.signed(-223.65)).toBe("−223.65");
  });
  it("gives no sign to what rounds to zero", () => {
    expect(f.number(-0.001)).toBe("0.00");
    expect(f.signed(0.001)).toBe("0.00");
    expect(f.signed(0)).toBe("0.00");
  });
  it("writes a missing value as a dash and one that overflowed as not finite", () => {
    expect(f.number(null)).toBe("–");
    expect(f.score(null, 2, true)).toBe("not finite");
    expect(f.number(NaN)).toBe("not finite");
    expect(f.number(Infinity)).toBe("not finite");
    expect(f.percent(null)).toBe("–");
    expect(f.duration(null)).toBe("–");
  });
  it("writes what has more digits than anyone reads as a power of ten, whatever it is", () => {
    const huge = 1.2345e40;
    expect(f.number(huge)).toBe("1.2 × 10⁴⁰");
    expect(f.number(-huge, 4)).toBe("−1.2 × 10⁴⁰");
    expect(f.factor(huge)).toBe("× 1.2 × 10⁴⁰");
    expect(f.factor(1 / huge)).toBe("÷ 1.2 × 10⁴⁰");
    expect([f.count(huge), f.shortCount(huge), f.perplexity(huge)]).toEqual(new Array(3).fill("1.2 × 10⁴⁰"));
    expect(f.percent(huge)).toBe("1.2 × 10⁴²%");
    expect(f.number(123_456_789_012_345, 0)).toBe("123,456,789,012,345");
  });

  it("writes significant digits, without the noise of a double behind them", () => {
    expect([1190.4, 0.031249, -2, 0.1 + 0.2, 0].map((value) => f.significant(value, 3))).toEqual([
      ...["1,190", "0.0312", "−2", "0.3", "0"],
    ]);
    expect(f.significant(1.2345e40, 3)).toBe("1.23 × 10⁴⁰");
    expect(f.significant(-1.2e-30, 2)).toBe("−1.2 × 10⁻³⁰");
  });

  it("counts in full in tables and short in prose", () => {
    expect(f.count(16_777_216)).toBe("16,777,216");
    expect(f.shortCount(1_279_787_008)).toBe("1.28 B");
    expect(f.shortCount(805_306_368)).toBe("805.3 M");
    expect(f.shortCount(7_000)).toBe("7,000");
    expect(f.plural(1, "layer")).toBe("1 layer");
    expect(f.plural(2, "super weight")).toBe("2 super weights");
  });
});

describe("decimals", () => {
  it("takes as many as separate the best from the original, four at most", () => {
    expect(f.decimalsThatSeparate(12.9, 12.41)).toBe(2);
    expect(f.decimalsThatSeparate(3.4512, 3.4562)).toBe(2);
    expect(f.decimalsThatSeparate(3.4512, 3.4538)).toBe(3);
    expect(f.decimalsThatSeparate(3.45121, 3.45129)).toBe(4);
    expect(f.decimalsThatSeparate(3.4512, 3.4512)).toBe(4);
    expect(f.decimalsThatSeparate(null, 3.4)).toBe(2);
  });
  it("shortens heatmap cells as they leave the original", () => {
    expect(f.cellPerplexity(12.9, 12.41)).toBe("12.90");
    expect(f.cellPerplexity(46.61, 12.41)).toBe("46.6");
    expect(f.cellPerplexity(236.06, 12.41)).toBe("236");
    expect(f.cellPerplexity(1186.4, 12.41)).toBe("1,186");
    expect(f.cellPerplexity(3.45127, 3.45, 4)).toBe("3.4513");
    expect(f.cellPerplexity(null, 12)).toBe("–");
  });
  it("keeps a tiny divergence apart from none", () => {
    expect(f.divergence(0.0411)).toBe("0.0411");
    expect(f.divergence(0)).toBe("0.0000");
    expect(f.divergence(3.2e-6)).toBe("3.2 × 10⁻⁶");
  });
  it("writes a destroyed model's perplexity as a power of ten", () => {
    expect(f.perplexity(1186.4)).toBe("1,186.40");
    expect(f.perplexity(44_402_244.8)).toBe("4.4 × 10⁷");
    expect(f.perplexity(null)).toBe("–");
  });
  it("writes factors with the sign of their direction", () => {
    expect(f.factor(96.3)).toBe("× 96");
    expect(f.factor(2.5)).toBe("× 2.50");
    expect(f.factor(1 / 5.3)).toBe("÷ 5.30");
    expect(f.factor(23_781_396)).toBe("× 2.4 × 10⁷");
    expect(f.factor(0.999)).toBe("no change");
    expect(f.factor(0)).toBe("–");
  });
  it("gives bits per weight three decimals in tables and two in sentences", () => {
    expect(f.bits(4.125)).toBe("4.125");
    expect(f.bits(4.125, "prose")).toBe("4.13");
  });
});

describe("sizes and times", () => {
  it("counts files in decimal and memory in binary units", () => {
    expect(f.fileSize(5_119_148_032)).toBe("5.12 GB");
    expect(f.fileSize(8_400_000)).toBe("8.4 MB");
    expect(f.fileSize(1_912)).toBe("2 kB");
    expect(f.memory(5.3 * 2 ** 30)).toBe("5.3 GiB");
    expect(f.memory(640 * 2 ** 20)).toBe("640 MiB");
  });
  it("writes elapsed time as seconds, minutes and hours", () => {
    expect(f.duration(2.84)).toBe("2.8 s");
    expect(f.duration(41)).toBe("41 s");
    expect(f.duration(59.6)).toBe("1:00");
    expect(f.duration(561)).toBe("9:21");
    expect(f.duration(6730)).toBe("1:52:10");
  });
  it("estimates coarsely", () => {
    expect(f.estimate(33 * 60 + 12)).toBe("about 33 min");
    expect(f.estimate(43)).toBe("about 45 s");
    expect(f.estimate(7_700)).toBe("about 2 h 10 min");
    expect(f.estimateRange(38 * 60, 46 * 60)).toBe("38 to 46 min");
    expect(f.estimateRange(50, 130)).toBe("50 s to 2 min");
  });
  it("writes rates per second", () => {
    expect(f.rate(271.4)).toBe("271 tok/s");
    expect(f.rate(3.21)).toBe("3.2 tok/s");
  });
});

describe("names and dates", () => {
  it("splits a tensor's name before its last part", () => {
    expect(f.tensorName("model.layers.1.mlp.down_proj.weight")).toEqual(["model.layers.1.mlp.", "down_proj"]);
    expect(f.tensorName("lm_head.weight")).toEqual(["", "lm_head"]);
  });
  it("writes days near today by name", () => {
    const now = new Date(2025, 10, 12, 12, 0);
    expect(f.when(new Date(2025, 10, 12, 10, 42).toISOString(), now)).toBe("Today 10:42");
    expect(f.when(new Date(2025, 10, 11, 23, 42).toISOString(), now)).toBe("Yesterday");
    expect(f.when(new Date(2025, 10, 10, 18, 5).toISOString(), now)).toBe("Mon 18:05");
    expect(f.when(new Date(2025, 9, 21).toISOString(), now)).toBe("21 Oct");
    expect(f.when(new Date(2024, 9, 21).toISOString(), now)).toBe("21 Oct 2024");
  });
  it("joins words as a sentence does", () => {
    expect(f.list([1])).toBe("1");
    expect(f.list([1, 2])).toBe("1 and 2");
    expect(f.list([1, 2, 7])).toBe("1, 2 and 7");
  });
});
