import type { LabReportOf } from "#shared/lab/index.ts";
import { judgedAlike } from "./labText.ts";

type Report = LabReportOf<"sensitivity">;
export type Scored = Report["points"][number];

/** How far an arrow key moves the slider, and with Shift. */
export const STEP = 0.05;
const WIDE_STEP = 0.5;

/** Where the slider stands after a key; null = not one of its keys. Steps land on whole multiples. */
export function stepped(
  key: string,
  shift: boolean,
  value: number,
  low: number,
  high: number,
): number | null {
  const step = shift ? WIDE_STEP : STEP;
  const to: Record<string, number> = {
    ArrowRight: value + step,
    ArrowUp: value + step,
    ArrowLeft: value - step,
    ArrowDown: value - step,
    Home: low,
    End: high,
  };
  const next = to[key];
  if (next === undefined) return null;
  return Number(Math.min(high, Math.max(low, Math.round(next / STEP) * STEP)).toFixed(2));
}

/** The scored point nearest to a factor, or null. */
export function nearest(points: readonly Scored[], factor: number): Scored | null {
  return points.reduce<Scored | null>(
    (best, point) =>
      best === null || Math.abs(point.factor - factor) < Math.abs(best.factor - factor) ? point : best,
    null,
  );
}

/** Where a value lies between the ends of the axis, 0 to 1. */
export function plotPlace(value: number, [low, high]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/**
 * A report with the points that others found under the same text, windows, model and tasks: single factors that were
 * asked for later belong in the same curve. Its own point wins where two say the same factor; the finding is that of
 * the report with most points of its own.
 */
export function withPointsOf(report: Report, others: readonly Report[]): Report {
  const points = new Map(report.points.map((point) => [point.factor, point]));
  let richest = report;
  for (const other of others) {
    if (!belongs(other, report)) continue;
    if (other.points.length > richest.points.length) richest = other;
    for (const point of other.points) if (!points.has(point.factor)) points.set(point.factor, point);
  }
  return {
    ...report,
    finding: richest.finding,
    notes: richest.notes,
    points: [...points.values()].sort((a, b) => a.factor - b.factor),
  };
}

function belongs(other: Report, report: Report): boolean {
  return (
    other.fingerprint === report.fingerprint &&
    judgedAlike(other, report) &&
    taskWords(other) === taskWords(report)
  );
}

function taskWords({ points, original }: Report): string {
  const tasks = (original ?? points[0])?.tasks ?? [];
  return JSON.stringify(tasks.map(({ path, name, dataset, n }) => [path, name, dataset, n]));
}
