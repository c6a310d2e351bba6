import { paceSince } from "#shared/contract/pace.ts";
import { cancelledError } from "#shared/errors.ts";
import type { Progress } from "#shared/contract/job.ts";
import type { Control, Watch } from "./engine.ts";

/** Counts work done and reports it with its rate; asks between batches whether to go on. */
export interface Meter {
  /** Adds units that turned out to be needed. */
  extend(units: number): void;
  /** Adds finished units, reports, and lets a paused or cancelled job stop here. */
  advance(units: number, phase: string): Promise<void>;
}

/** @param total units of the whole job; `unit` names them, e.g. `tokens·layers` */
export function createMeter(total: number, unit: string, watch: Watch): Meter {
  const begin = performance.now();
  let done = 0;
  let expected = total;
  return {
    extend(units) {
      expected += units;
    },
    async advance(units, phase) {
      done += units;
      watch.onProgress?.(
        progressNow(done, Math.max(expected, done), unit, phase, (performance.now() - begin) / 1000),
      );
      await watch.control?.check();
    },
  };
}

function progressNow(done: number, total: number, unit: string, phase: string, seconds: number): Progress {
  return { done, total, unit, phase, ...paceSince(seconds, { done, total }) };
}

/** A control that follows an abort signal. */
export function controlOf(signal: AbortSignal): Control {
  return {
    check() {
      if (signal.aborted) throw cancelledError();
    },
  };
}
