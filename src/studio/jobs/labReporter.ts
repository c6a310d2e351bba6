import type { LabReport } from "#shared/lab/index.ts";
import type { EventStream } from "./eventStream.ts";
import { throttle, type Throttled } from "./throttle.ts";

/** An experiment's reports are told at most five times a second. */
const REPORT_MS = 200;

/** Tells what an experiment has found so far. Each report is whole, so the latest stands for those before it. */
export class LabReporter {
  readonly #tell: Throttled;
  #latest: LabReport | null = null;

  constructor(events: EventStream, job: string) {
    this.#tell = throttle(() => {
      const report = this.#latest;
      this.#latest = null;
      if (report) events.emit({ type: "lab-report", job, report });
    }, REPORT_MS);
  }

  report(report: LabReport): void {
    this.#latest = report;
    this.#tell();
  }

  /** Tells what is still held back, now. */
  flush(): void {
    this.#tell.flush();
  }
}
