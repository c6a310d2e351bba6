/** Work done and time spent are forgotten with this time constant, in seconds: the rate follows changes, not jitter. */
const WINDOW_SECONDS = 15;
/** Until this much work was timed a rate says nothing. */
const MEANINGFUL_SECONDS = 1;
const MEANINGFUL_UPDATES = 3;
/** A count that falls by less, as a share of the whole, has been corrected. */
const SLACK = 0.01;
/** What another stage's rate still weighs when a stage begins, in seconds: a guess until the stage has a rate of its own. */
const GUESS_SECONDS = 2;

/** Turns "so much is done" into a rate and the time left. Pauses do not count. */
export class ProgressMeter {
  readonly #now: () => number;
  #work = 0;
  #seconds = 0;
  #timed = 0;
  #updates = 0;
  #stage: string | undefined;
  #last: { at: number; done: number } | null = null;

  /** @param now seconds on a clock that never goes back */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.#now = now;
  }

  /** Starts timing at `done` units that were there before (a resumed run's), or that a pause interrupted. */
  start(done: number): void {
    this.#last = { at: this.#now(), done };
  }

  /** Starts timing again where a pause interrupted. */
  goOn(): void {
    if (this.#last) this.start(this.#last.done);
  }

  /**
   * A count that went back is another one, and timed from the beginning.
   * @param stage what is worked at; its rate takes the place of the last stage's
   */
  update(done: number, total: number, stage?: string): Pace {
    const at = this.#now();
    if (!this.#last || done < this.#last.done - SLACK * total) this.#begin(done);
    const last = this.#last ?? { at, done };
    const seconds = at - last.at;
    const work = done - last.done;
    if (seconds > 0 && work > 0) {
      const fade = Math.exp(-seconds / WINDOW_SECONDS);
      this.#work = this.#work * fade + work;
      this.#seconds = this.#seconds * fade + seconds;
      this.#timed += seconds;
      this.#updates++;
      this.#last = { at, done };
    }
    if (stage !== this.#stage) this.#enter(stage);
    if (done >= total) return { rate: this.#rate(), secondsLeft: 0 };
    return paceAt(this.#rate(), total - done);
  }

  #begin(done: number): void {
    [this.#work, this.#seconds, this.#timed, this.#updates] = [0, 0, 0, 0];
    this.start(done);
  }

  #enter(stage: string | undefined): void {
    this.#stage = stage;
    const share = Math.min(1, GUESS_SECONDS / this.#seconds);
    if (this.#seconds === 0) return;
    this.#work *= share;
    this.#seconds *= share;
  }

  #rate(): number | null {
    const known = this.#timed >= MEANINGFUL_SECONDS && this.#updates >= MEANINGFUL_UPDATES;
    return known ? this.#work / this.#seconds : null;
  }
}
import { paceAt, type Pace } from "#shared/contract/pace.ts";
