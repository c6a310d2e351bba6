import type { Scores } from "#shared/evaluation.ts";
import type { LaneView } from "#shared/contract/job.ts";
import type { RunSummary, VariantResult } from "#shared/run.ts";
import type { EventStream } from "../jobs/eventStream.ts";
import { throttle, type Throttled } from "../jobs/throttle.ts";

/** Results are told in batches at most twenty times a second, the run's counts five times. */
const RESULTS_MS = 50;
const RUN_MS = 200;

/** Tells what happens in one run. */
export class SweepReporter {
  readonly #events: EventStream;
  readonly #run: string;
  /** By id: a row that changes twice before it is told is told once. */
  readonly #pending = new Map<string, VariantResult>();
  readonly #tellResults: Throttled;
  readonly #tellRun: Throttled;
  #summary: (() => RunSummary) | null = null;

  constructor(events: EventStream, run: string) {
    this.#events = events;
    this.#run = run;
    this.#tellResults = throttle(() => {
      const results = [...this.#pending.values()];
      this.#pending.clear();
      if (results.length > 0) events.emit({ type: "variants", run, results });
    }, RESULTS_MS);
    this.#tellRun = throttle(() => {
      const summary = this.#summary;
      this.#summary = null;
      if (summary) this.run(summary());
    }, RUN_MS);
  }

  run(summary: RunSummary): void {
    this.#summary = null;
    this.#events.emit({ type: "run", run: summary });
  }

  /** The summary is made when its time has come. */
  runLater(summary: () => RunSummary): void {
    this.#summary = summary;
    this.#tellRun();
  }

  baseline(baseline: Scores): void {
    this.#events.emit({ type: "baseline", run: this.#run, baseline });
  }

  variants(results: readonly VariantResult[]): void {
    for (const result of results) this.#pending.set(result.id, result);
    if (results.length > 0) this.#tellResults();
  }

  lanes(lanes: LaneView[]): void {
    this.#events.emit({ type: "lanes", run: this.#run, lanes });
  }

  /** Tells what is still held back, now. */
  flush(): void {
    this.#tellResults.flush();
    this.#tellRun.flush();
  }
}
