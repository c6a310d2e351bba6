import type { Host } from "#shared/contract/contract.ts";
import type { NumberedEvent, StudioEvent } from "#shared/contract/events.ts";

export interface StreamOptions {
  /** Gets all events of one frame, in order. */
  apply(events: readonly StudioEvent[]): void;
  /** Events were missed for good: read the state afresh. */
  reload(): Promise<void>;
  /** Runs the task once, soon; the window passes requestAnimationFrame. */
  schedule(task: () => void): void;
}

/**
 * The studio's events in order, without holes, handed on once a frame. A hole in the sequence, or a connection that
 * comes back, is closed with `events:since`; where the studio no longer keeps what is missing, the state is read afresh.
 */
export class EventStream {
  readonly #host: Pick<Host, "call" | "subscribe" | "onConnection">;
  readonly #options: StreamOptions;
  #seq: number | null = null;
  #ready: StudioEvent[] = [];
  /** Events that came while a hole is being closed. */
  #held: NumberedEvent[] | null = null;
  #scheduled = false;
  #wasLost = false;

  constructor(host: Pick<Host, "call" | "subscribe" | "onConnection">, options: StreamOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Place of the last event that was taken; null before the first. */
  get seq(): number | null {
    return this.#seq;
  }

  /** Begins to listen; returns the way to stop. */
  start(): () => void {
    const stopEvents = this.#host.subscribe((event) => this.#receive(event));
    const stopStates = this.#host.onConnection((state) => {
      if (state === "lost") this.#wasLost = true;
      else if (this.#wasLost) {
        this.#wasLost = false;
        void this.#catchUp();
      }
    });
    return () => {
      stopEvents();
      stopStates();
    };
  }

  #receive(numbered: NumberedEvent): void {
    if (this.#held) {
      this.#held.push(numbered);
      return;
    }
    if (this.#seq !== null && numbered.seq <= this.#seq) return;
    if (this.#seq !== null && numbered.seq > this.#seq + 1) {
      void this.#catchUp(numbered);
      return;
    }
    this.#take(numbered);
  }

  #take(numbered: NumberedEvent): void {
    this.#seq = numbered.seq;
    this.#ready.push(numbered.event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(() => {
      this.#scheduled = false;
      const events = this.#ready;
      this.#ready = [];
      this.#options.apply(events);
    });
  }

  async #catchUp(after?: NumberedEvent): Promise<void> {
    if (this.#held) {
      if (after) this.#held.push(after);
      return;
    }
    this.#held = after ? [after] : [];
    try {
      await this.#closeHole();
    } catch {
      // The connection went again. What was held back is fetched too once it is back: the last seq has not moved.
      this.#wasLost = true;
      this.#held = null;
      return;
    }
    const held = this.#held;
    this.#held = null;
    for (const event of held) if (this.#seq === null || event.seq > this.#seq) this.#take(event);
  }

  async #closeHole(): Promise<void> {
    if (this.#seq === null) {
      await this.#options.reload();
      return;
    }
    const missed = await this.#host.call("events:since", { seq: this.#seq });
    // A studio that was started anew counts from the beginning: its seq is smaller than ours.
    if (missed.complete && missed.seq >= this.#seq) {
      for (const event of missed.events) this.#take(event);
      return;
    }
    this.#ready = [];
    this.#seq = missed.seq;
    await this.#options.reload();
  }
}
