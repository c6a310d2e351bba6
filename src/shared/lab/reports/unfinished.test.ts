import { expect, it } from "vitest";
import { labReportOf } from "../../../../test/support/labReports.ts";
import { onTheWay, reachedWords, unfinishedMark, unfinishedReport } from "./unfinished.ts";

const reached = { done: 3, of: 8, unit: "row" };

it("says how far an experiment came, with and without a known end", () => {
  expect(reachedWords(reached)).toBe("3 of 8 rows");
  expect(reachedWords({ done: 1, of: null, unit: "candidate" })).toBe("1 candidate");
});

it("marks what a cancelled experiment had measured, and leaves what it had found", () => {
  const told = { ...labReportOf("importance"), complete: false, reached };
  expect(unfinishedReport(told)).toMatchObject({
    cancelled: true,
    complete: false,
    rows: told.rows,
    finding: { code: "lab/stopped", text: `Stopped after 3 of 8 rows. ${told.finding.text}` },
  });
  const counting = { ...told, finding: onTheWay(reached) };
  expect(unfinishedReport(counting)?.finding.text).toBe("Stopped after 3 of 8 rows.");
});

it("says why an experiment failed, and marks it as failed", () => {
  const told = { ...labReportOf("importance"), complete: false, reached, finding: onTheWay(reached) };
  const report = unfinishedReport(told, "The text cannot be read.");
  expect(report).toMatchObject({
    cancelled: false,
    failed: "The text cannot be read.",
    finding: { code: "lab/failed", text: "Failed after 3 of 8 rows: The text cannot be read." },
  });
  expect(report && unfinishedMark(report)).toBe("Failed");
  expect(unfinishedMark({ cancelled: true, failed: false })).toBe("Cancelled");
  expect(unfinishedMark({ cancelled: false, failed: false })).toBeNull();
});

it("is no report where nothing was measured", () => {
  const told = labReportOf("importance");
  expect(unfinishedReport(null)).toBeNull();
  expect(unfinishedReport({ ...told, reached: { ...reached, done: 0 } })).toBeNull();
  expect(unfinishedReport({ ...told, reached: null })).toBeNull();
});
