import { paceSince } from "#shared/contract/pace.ts";
import type { ExportControl } from "./exportedVariant.ts";

/** Reports at most this often, in milliseconds: faster than eyes, slower than a queue of messages. */
const INTERVAL = 100;

/** Counts bytes and tells the control, with the rate since the start. */
export class ByteProgress {
  private readonly control: ExportControl;
  private readonly total: number;
  private readonly started = performance.now();
  private reported = -Infinity;
  private done = 0;
  private phase: string;

  /** @param phase what is done before the first piece of work has a name */
  constructor(control: ExportControl, total: number, phase: string) {
    this.control = control;
    this.total = total;
    this.phase = phase;
  }

  /** Begins a piece of work; also where a job is paused or ended. */
  async begin(phase: string): Promise<void> {
    await this.control.check();
    this.phase = phase;
    this.report(false);
  }

  /** @param bytes done since the last call */
  async advance(bytes: number): Promise<void> {
    this.done += bytes;
    this.report(this.done >= this.total);
    await this.control.check();
  }

  private report(last: boolean): void {
    const now = performance.now();
    if (!last && now - this.reported < INTERVAL) return;
    this.reported = now;
    const seconds = (now - this.started) / 1000;
    this.control.report({
      done: this.done,
      total: this.total,
      unit: "bytes",
      phase: this.phase,
      ...paceSince(seconds, { done: this.done, total: this.total }),
    });
  }
}
