import { count, figure } from "./words.ts";

/** How much a search may try. */
export class Budget {
  readonly #maxTrials: number;
  readonly #maxSeconds: number;
  readonly #begin = performance.now();
  #trials = 0;

  /** null = no bound. */
  constructor(maxTrials: number | null, maxSeconds: number | null) {
    this.#maxTrials = maxTrials ?? Infinity;
    this.#maxSeconds = maxSeconds ?? Infinity;
  }

  spend(): void {
    this.#trials++;
  }

  /** Why nothing more may be tried, as a clause; null while something may. */
  get spent(): string | null {
    if (this.#trials >= this.#maxTrials)
      return `after ${count(this.#trials)} trials, the most that were asked for`;
    const seconds = (performance.now() - this.#begin) / 1000;
    if (seconds >= this.#maxSeconds) return `after ${figure(this.#maxSeconds)} s, the time that was given`;
    return null;
  }
}
