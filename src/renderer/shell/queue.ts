import type { JobView } from "#shared/contract/job.ts";

/** Jobs that take time in the order in which they run: the one that runs, paused ones, then those that wait. */
export function queueOf(active: readonly JobView[]): JobView[] {
  return [...active].sort((a, b) => rankOf(a) - rankOf(b) || a.created.localeCompare(b.created));
}

function rankOf({ turn }: JobView): number {
  // a paused job has no turn: it stands after the one that runs and before those that wait
  return turn ?? 0.5;
}
