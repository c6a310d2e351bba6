/** A run's own time: what earlier executions took, and this one without its pauses. */
export class RunClock {
  readonly #earlier: number;
  #begun: number | null = null;
  #spent = 0;
  #resumed: (() => void) | null = null;

  /** @param earlier seconds spent before this execution */
  constructor(earlier: number) {
    this.#earlier = earlier;
  }

  start(): void {
    this.#begun ??= performance.now();
  }

  stop(): void {
    this.#spent = this.#elapsed();
    this.#begun = null;
  }

  setPaused(paused: boolean): void {
    if (paused) this.stop();
    else {
      this.start();
      this.#resumed?.();
    }
  }

  /** What to do when a pause ends. */
  onPauseEnd(work: () => void): void {
    this.#resumed = work;
  }

  get paused(): boolean {
    return this.#begun === null;
  }

  seconds(): number {
    return this.#earlier + this.#elapsed() / 1000;
  }

  milliseconds(): number {
    return Math.round(this.seconds() * 1000);
  }

  #elapsed(): number {
    return this.#spent + (this.#begun === null ? 0 : performance.now() - this.#begun);
  }
}
