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

/** Whether a run ended before its last variant, and can go on. */
export function canResume({ status, done, total }: RunSummary): boolean {
  return (status === "interrupted" || status === "cancelled" || status === "failed") && done < total;
}

/** Whether every word of the search is in the run's name, its model's or its result. */
export function matchesRun(run: RunSummary, search: string): boolean {
  const text = `${run.name} ${run.modelName} ${run.status} ${runResult(run)}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
