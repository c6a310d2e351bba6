import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { LabReportOf } from "#shared/lab/index.ts";
import { labReportOf } from "../../../test/support/labReports.ts";
import { EventStream } from "./eventStream.ts";
import { LabReporter } from "./labReporter.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const whole = labReportOf("sensitivity");
const withPoints = (count: number): LabReportOf<"sensitivity"> => ({
  ...whole,
  points: Array.from({ length: count }, () => whole.points[0]),
});

function told(): { reporter: LabReporter; points: () => number[] } {
  const events = new EventStream();
  const points: number[] = [];
  events.on(({ event }) => {
    if (event.type === "lab-report" && event.report.experiment === "sensitivity")
      points.push(event.report.points.length);
  });
  return { reporter: new LabReporter(events, "job"), points: () => points };
}

it("tells the first report at once and, of a flood, five a second", () => {
  const { reporter, points } = told();
  for (let i = 1; i <= 1000; i++) {
    reporter.report(withPoints(i));
    vi.advanceTimersByTime(1);
  }
  expect(points()[0]).toBe(1);
  expect(points().length).toBeLessThanOrEqual(6);
});

it("never loses the last one, and tells it when the task ends", () => {
  const { reporter, points } = told();
  for (let i = 1; i <= 3; i++) reporter.report(withPoints(i));
  expect(points()).toEqual([1]);
  reporter.flush();
  expect(points()).toEqual([1, 3]);
  vi.advanceTimersByTime(1000);
  expect(points()).toEqual([1, 3]);
});
