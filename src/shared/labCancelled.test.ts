import { expect, it } from "vitest";
import { labReportOf } from "../../test/support/labReports.ts";
import { cancelledReport, onTheWay, reachedWords } from "./labCancelled.ts";

const reached = { done: 3, of: 8, unit: "row" };

it("says how far an experiment came, with and without a known end", () => {
  expect(reachedWords(reached)).toBe("3 of 8 rows");
  expect(reachedWords({ done: 1, of: null, unit: "candidate" })).toBe("1 candidate");
});

it("marks what a cancelled experiment had measured, and leaves what it had found", () => {
  const told = { ...labReportOf("importance"), complete: false, reached };
  expect(cancelledReport(told)).toMatchObject({
    cancelled: true,
    complete: false,
    rows: told.rows,
    finding: `Stopped after 3 of 8 rows. ${told.finding}`,
  });
  const counting = { ...told, finding: onTheWay(reached) };
  expect(cancelledReport(counting)?.finding).toBe("Stopped after 3 of 8 rows.");
});

it("is no report where nothing was measured", () => {
  const told = labReportOf("importance");
  expect(cancelledReport(null)).toBeNull();
  expect(cancelledReport({ ...told, reached: { ...reached, done: 0 } })).toBeNull();
  expect(cancelledReport({ ...told, reached: null })).toBeNull();
});
