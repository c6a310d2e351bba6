import type { Note } from "../../notes.ts";
import { plural } from "../../format.ts";
import type { LabFacts, LabReached } from "./facts.ts";

/** Code of a finding that says how far an experiment is, and nothing else yet. */
const ON_THE_WAY = "lab/on-the-way";

/** `3 of 8 rows`, `1 of 1 prompt`, `12 candidates`. */
export function reachedWords({ done, of, unit }: LabReached): string {
  return of === null ? plural(done, unit) : `${done.toLocaleString("en-US")} of ${plural(of, unit)}`;
}

/** What an experiment says on its way where it has nothing else to say yet: `3 of 8 rows scored.` */
export function onTheWay(reached: LabReached): Note {
  return { code: ON_THE_WAY, text: `${reachedWords(reached)} scored.` };
}

/**
 * The report of an experiment that was cancelled or failed: what was measured until then, marked, with what it reached in its
 * finding.
 * @param failed why it failed, in a sentence; null where it was cancelled
 * @returns null where nothing was measured
 */
export function unfinishedReport<R extends LabFacts>(told: R | null, failed: string | null = null): R | null {
  if (told === null || told.reached === null || told.reached.done === 0) return null;
  const reached = reachedWords(told.reached);
  const stopped = failed === null ? `Stopped after ${reached}.` : `Failed after ${reached}: ${failed}`;
  const text = told.finding.code === ON_THE_WAY ? stopped : `${stopped} ${told.finding.text}`;
  const finding = { code: failed === null ? "lab/stopped" : "lab/failed", text };
  return { ...told, complete: false, cancelled: failed === null, failed, finding };
}

/** What marks a report or its summary that holds only what was measured until it ended early; null for a whole one. */
export function unfinishedMark({
  cancelled,
  failed,
}: Pick<LabFacts, "cancelled"> & { readonly failed: string | boolean | null }):
  "Cancelled" | "Failed" | null {
  if (cancelled) return "Cancelled";
  return failed === null || failed === false ? null : "Failed";
}
