/** Work done and time spent are forgotten with this time constant, in seconds: the rate follows changes, not jitter. */
const WINDOW_SECONDS = 15;
/** Until this much work was timed a rate says nothing. */
const MEANINGFUL_SECONDS = 1;
const MEANINGFUL_UPDATES = 3;

export interface Pace {
  /** Units per second; null while unknown. */
  rate: number | null;
  /** Null until the rate means something. */
  secondsLeft: number | null;
}

/** Turns "so much is done" into a rate and the time left. Pauses do not count. */
export class ProgressMeter {
  readonly #now: () => number;
  #work = 0;
  #seconds = 0;
  #timed = 0;
  #updates = 0;
  #last: { at: number; done: number } | null = null;

  /** @param now seconds on a clock that never goes back */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** Starts timing at `done` units that were there before (a resumed run's), or that a pause interrupted. */
  start(done: number): void {
    this.#last = { at: this.#now(), done };
  }

  update(done: number, total: number): Pace {
    const at = this.#now();
    if (!this.#last) this.#last = { at, done };
    const seconds = at - this.#last.at;
    const work = done - this.#last.done;
    if (seconds > 0 && work > 0) {
      const fade = Math.exp(-seconds / WINDOW_SECONDS);
      this.#work = this.#work * fade + work;
      this.#seconds = this.#seconds * fade + seconds;
      this.#timed += seconds;
      this.#updates++;
      this.#last = { at, done };
    }
    if (this.#timed < MEANINGFUL_SECONDS || this.#updates < MEANINGFUL_UPDATES)
      return { rate: null, secondsLeft: null };
    const rate = this.#work / this.#seconds;
    return { rate, secondsLeft: Math.max(0, total - done) / rate };
  }
}
