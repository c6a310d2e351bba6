import { MultiBar, type SingleBar } from "cli-progress";
import type { Progress } from "#shared/contract/job.ts";
import type { TextOutput } from "./io.ts";
import { duration, fixed } from "./numbers.ts";

/** Shows how far a job is, and lines that belong to it. Never writes to stdout. */
export interface ProgressDisplay {
  readonly live: boolean;
  update(progress: Progress): void;
  /** A line above the bar: a note, a finished row. */
  line(text: string): void;
  stop(): void;
}

/** Seconds between two plain progress lines where stderr is not a terminal. */
const PLAIN_EVERY_SECONDS = 10;

/** A bar on a terminal; otherwise an occasional plain line, or nothing when the command prints JSON. */
export function createProgress(stderr: TextOutput, options: { json: boolean }): ProgressDisplay {
  if (stderr.isTTY) return terminalProgress(stderr);
  return options.json ? silentProgress() : plainProgress(stderr);
}

function terminalProgress(stderr: TextOutput): ProgressDisplay {
  let bars: MultiBar | null = null;
  let bar: SingleBar | null = null;
  return {
    live: true,
    update(progress) {
      const shown = payload(progress);
      bars ??= barsOn(stderr);
      bar ??= bars.create(progress.total, progress.done, shown);
      bar.setTotal(progress.total);
      bar.update(progress.done, shown);
    },
    line(text) {
      if (bars) bars.log(`${text}\n`);
      else stderr.write(`${text}\n`);
    },
    stop() {
      // One more drawing, so that no line waiting above the bar is lost.
      bars?.update();
      bars?.stop();
      bars = null;
      bar = null;
    },
  };
}

function barsOn(stderr: TextOutput): MultiBar {
  return new MultiBar({
    stream: stderr,
    format: "{phase} {bar} {count}{rate}{left}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    emptyOnZero: true,
    // Ctrl-C is ours: it cancels the job and keeps what is done.
    gracefulExit: false,
  });
}

function plainProgress(stderr: TextOutput): ProgressDisplay {
  let last = performance.now();
  return {
    live: false,
    update(progress) {
      const now = performance.now();
      if (now - last < PLAIN_EVERY_SECONDS * 1000) return;
      last = now;
      const { phase, count, rate, left } = payload(progress);
      stderr.write(`${phase}: ${count}${rate}${left}\n`);
    },
    line(text) {
      stderr.write(`${text}\n`);
    },
    stop() {
      // Plain lines leave nothing behind.
    },
  };
}

function silentProgress(): ProgressDisplay {
  const nothing = (): void => undefined;
  return { live: false, update: nothing, line: nothing, stop: nothing };
}

/** What people count in. Other units stand for work, of which a share is told. */
const COUNTED = new Set(["tokens", "weights", "tensors"]);

/** The parts of a progress line as text; `count` and not `total`, which cli-progress keeps for itself. */
function payload(progress: Progress): { phase: string; count: string; rate: string; left: string } {
  const { done, total, rate, secondsLeft, unit } = progress;
  const counted = COUNTED.has(unit);
  return {
    phase: progress.phase,
    count: counted
      ? `${fixed(done, 0)}/${fixed(total, 0)} ${unit}`
      : `${total > 0 ? Math.floor((100 * done) / total) : 0}%`,
    rate:
      rate === null || !counted ? "" : ` · ${fixed(rate, rate >= 100 ? 0 : rate >= 10 ? 1 : 2)} ${unit}/s`,
    left: secondsLeft === null ? "" : ` · ${duration(secondsLeft)} left`,
  };
}
