import { plural } from "./format.ts";
import type { LabReached, LabReport } from "./lab.ts";

/** `3 of 8 rows`, `1 of 1 prompt`, `12 candidates`. */
export function reachedWords({ done, of, unit }: LabReached): string {
  return of === null ? plural(done, unit) : `${done.toLocaleString("en-US")} of ${plural(of, unit)}`;
}

/** What an experiment says on its way where it has nothing else to say yet: `3 of 8 rows scored.` */
export function onTheWay(reached: LabReached): string {
  return `${reachedWords(reached)} scored.`;
}

/**
 * The report of an experiment that was cancelled: what was measured until then, marked, with what it reached in its finding.
 * @returns null where nothing was measured
 */
export function cancelledReport(told: LabReport | null): LabReport | null {
  if (told === null || told.reached === null || told.reached.done === 0) return null;
  const stopped = `Stopped after ${reachedWords(told.reached)}.`;
  const finding = told.finding === onTheWay(told.reached) ? stopped : `${stopped} ${told.finding}`;
  return { ...told, complete: false, cancelled: true, finding };
}
