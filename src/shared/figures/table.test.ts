import { describe, expect, it } from "vitest";
import {
  cellText,
  divergenceText,
  scoreCell,
  separatingDecimals,
  tableCsv,
  tableText,
  type FigureTable,
} from "./table.ts";

const TABLE: FigureTable = {
  columns: [
    { title: "State", format: "text" },
    { title: "Perplexity", format: "perplexity", decimals: 4 },
    { title: "Same, top", format: "percent" },
  ],
  rows: [
    ["original", 1.88080001, 1],
    ['with "quotes",\nlines', 11_953_626.1775, null],
    ["overflowed", scoreCell(null, true), scoreCell(undefined)],
  ],
};

describe("the table of a figure", () => {
  it("is read with decimals where they mean something", () => {
    expect(tableText(TABLE)).toEqual([
      ["original", "1.8808", "100.0%"],
      ['with "quotes",\nlines', "11,953,626", "–"],
      ["overflowed", "not finite", "–"],
    ]);
    expect(cellText(893.726, { title: "", format: "perplexity", decimals: 4 })).toBe("893.73");
    expect(cellText(3e15, { title: "", format: "perplexity" })).toBe("3.0 × 10¹⁵");
  });
  it("has as many decimals as tell its perplexities apart, four at most", () => {
    expect(separatingDecimals([1.88, 2.13, null, 1e7])).toBe(2);
    expect(separatingDecimals([1.8808, 1.8824, 1.8808])).toBe(3);
    expect(separatingDecimals([1.880_81, 1.880_82])).toBe(4);
  });
  it("tells small divergences apart", () => {
    const kl = [1.23456, 0.00123, 0.000_243, 0.000_060_3, 3e-9, 0].map(divergenceText);
    expect(kl).toEqual(["1.2346", "0.0012", "0.00024", "0.000060", "3.0 × 10⁻⁹", "0.0000"]);
  });
  it("goes to CSV unrounded, quoted where it must be", () => {
    expect(tableCsv(TABLE)).toBe(
      'State,Perplexity,"Same, top"\r\noriginal,1.88080001,1\r\n"with ""quotes"",\nlines",11953626.1775,\r\noverflowed,not finite,\r\n',
    );
  });
});
