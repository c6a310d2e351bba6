import type { RunSummary } from "#shared/run.ts";
import { count } from "../../format.ts";

/** What became of a run, in a few words. */
export function runResult({ status, done, failed, total }: RunSummary): string {
  const lost = failed > 0 ? `, ${count(failed)} failed` : "";
  const part = `${count(done)} of ${count(total)}`;
  switch (status) {
    case "done":
      return `${count(done)} scored${lost}`;
    case "interrupted":
      return `Interrupted at ${part}; those are saved`;
    case "cancelled":
      return `Cancelled at ${part}`;
    case "paused":
      return `Paused at ${part}`;
    case "failed":
      return `Failed at ${part}`;
    case "waiting":
      return "Waiting to start";
    case "running":
      return `${part}${lost}`;
  }
}

/** Whether a job of this run is there, working, paused or in the queue. */
export function underWay({ status }: RunSummary): boolean {
  return status === "running" || status === "paused" || status === "waiting";
}

/** Whether a run ended before its last variant, and can go on; an imported one goes on nowhere but where it was made. */
export function canResume({ status, done, total, imported }: RunSummary): boolean {
  return (
    imported === null &&
    (status === "interrupted" || status === "cancelled" || status === "failed") &&
    done < total
  );
}

/** Whether every word of the search is in the run's name, its note, its model's name or its result. */
export function matchesRun(run: RunSummary, search: string): boolean {
  const origin = run.imported === null ? "" : "imported";
  const text =
    `${run.name} ${run.note} ${run.modelName} ${run.status} ${origin} ${runResult(run)}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
