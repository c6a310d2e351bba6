/**
 * Shows a value at most so often, however fast it changes: the first change at once, then the latest when its time has come. What
 * draws itself anew at every change (charts, heat maps) follows what is shown here.
 */
export class Pace<T> {
  readonly #show: (value: T) => void;
  #shown = -Infinity;
  #next: { readonly value: T; readonly timer: ReturnType<typeof setTimeout> } | null = null;

  constructor(show: (value: T) => void) {
    this.#show = show;
  }

  /** @param restMs how long a value stands before another takes its place */
  follow(value: T, restMs: number): void {
    if (this.#next !== null) {
      this.#next = { ...this.#next, value };
      return;
    }
    const due = this.#shown + restMs - performance.now();
    if (due <= 0) this.#take(value);
    else this.#next = { value, timer: setTimeout(() => this.#next && this.#take(this.#next.value), due) };
  }

  /** Forgets what was to come. */
  stop(): void {
    if (this.#next !== null) clearTimeout(this.#next.timer);
    this.#next = null;
  }

  #take(value: T): void {
    this.#next = null;
    this.#shown = performance.now();
    this.#show(value);
  }
}
