import type { NumberedEvent, StudioEvent } from "#shared/contract/events.ts";

/** How many events a face can catch up on before it has to read the state afresh. */
const KEPT_EVENTS = 10_000;

/**
 * Numbers the studio's events, tells them to the listeners and keeps the last ten thousand. Of an experiment's reports, and of
 * what is generated, which grow and replace each other, only the latest is kept.
 */
export class EventStream {
  readonly #ring: (NumberedEvent | undefined)[] = [];
  /** Number of each job's latest report. */
  readonly #reports = new Map<string, number>();
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #seq = 0;

  emit(event: StudioEvent): void {
    const numbered = { seq: ++this.#seq, event };
    if (event.type === "lab-report" || event.type === "generated") this.#dropReportBefore(event.job);
    this.#ring[(this.#seq - 1) % KEPT_EVENTS] = numbered;
    for (const listener of this.#listeners) listener(numbered);
  }

  on(listener: (event: NumberedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #dropReportBefore(job: string): void {
    const before = this.#reports.get(job) ?? 0;
    if (before > this.#seq - KEPT_EVENTS) this.#ring[(before - 1) % KEPT_EVENTS] = undefined;
    this.#reports.set(job, this.#seq);
  }

  /** Events after `seq`, without those that a later one replaced. `complete` is false where some are no longer kept, or `seq` is of another studio's stream. */
  since(seq: number): { events: NumberedEvent[]; seq: number; complete: boolean } {
    const oldest = Math.max(1, this.#seq - KEPT_EVENTS + 1);
    if (seq > this.#seq || seq + 1 < oldest) return { events: [], seq: this.#seq, complete: false };
    const events: NumberedEvent[] = [];
    for (let next = seq + 1; next <= this.#seq; next++) {
      const kept = this.#ring[(next - 1) % KEPT_EVENTS];
      if (kept) events.push(kept);
    }
    return { events, seq: this.#seq, complete: true };
  }
}
