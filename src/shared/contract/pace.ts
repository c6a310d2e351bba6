import type { Progress } from "./job.ts";

/** How fast work goes, and how long the rest of it takes; null while it is not known. */
export type Pace = Pick<Progress, "rate" | "secondsLeft">;

/** What is left at a rate. @param rate units per second @param left units */
export function paceAt(rate: number | null, left: number): Pace {
  return { rate, secondsLeft: rate === null || rate === 0 ? null : left / rate };
}

/** The pace of work that has gone on evenly since it began. @param seconds since then */
export function paceSince(seconds: number, { done, total }: Pick<Progress, "done" | "total">): Pace {
  return paceAt(seconds > 0 && done > 0 ? done / seconds : null, total - done);
}
