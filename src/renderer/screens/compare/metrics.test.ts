import { expect, it } from "vitest";
import { testResult } from "../run/testResult.ts";
import { metricRows } from "./metrics.ts";
import { recipeDiff } from "./recipeDiff.ts";

it("marks the best of a row, and nobody where all are written the same", () => {
  const rows = metricRows(
    [
      testResult({}, { perplexity: 12, klMean: 0.02 }),
      testResult({ bits: 3 }, { perplexity: 14, klMean: 0.3, bitsPerWeight: 3 }),
    ],
    {
      baseline: null,
      decimals: 2,
      model: { parameters: 1000, bytes: 2000 },
    },
  );
  const best = Object.fromEntries(rows.map(({ name, cells }) => [name, cells.map((cell) => cell.best)]));
  expect(best["Perplexity"]).toEqual([true, false]);
  expect(best["Bits per weight"]).toEqual([false, true]);
  expect(best["SQNR, dB"]).toEqual([false, false]);
});

it("shows only the fields in which recipes differ", () => {
  const { differing, shared } = recipeDiff([
    testResult({}).recipe,
    testResult({ restore: "super-weights" }).recipe,
  ]);
  expect(differing).toEqual([{ name: "Super weights", values: ["not restored", "restored"] }]);
  expect(shared).toContain("bits 4");
});
