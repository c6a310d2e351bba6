import { expect, it } from "vitest";
import { testResult } from "../run/testResult.ts";
import { comparisonFinding } from "./finding.ts";
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

it("heads a comparison with what it ranks by, and with what the text cannot tell", () => {
  const results = [
    testResult({}, { id: "a", klMean: 0.268, perplexity: 53.2, bitsPerWeight: 4.5 }),
    testResult({}, { id: "b", klMean: 0.2684, perplexity: 53.1 }),
  ];
  const letterOf = (id: string): string => id.toUpperCase();
  const ranking = { by: "kl", best: "a", tied: ["b"], untested: 0 } as const;
  expect(comparisonFinding(results, { ...ranking, tied: ["b"] }, letterOf)).toBe(
    "A has the lowest KL, 0.2680 at 4.50 bits; no significant difference from B; B has the lowest perplexity",
  );
  expect(comparisonFinding(results.slice(0, 1), { ...ranking, tied: [] }, letterOf)).toBe(
    "A has the lowest KL, 0.2680 at 4.50 bits",
  );
});
