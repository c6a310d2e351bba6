/**
 * Asks for values one after the other (few at a time), newest wish first, each key once. Rows that are scrolled into
 * view wish for their statistics; rows that were scrolled past can be let go with `keepOnly`.
 */
export class StatisticsQueue<T> {
  readonly #ask: (key: string) => Promise<T>;
  readonly #done: (key: string, value: T | null, error: unknown) => void;
  readonly #atOnce: number;
  readonly #known = new Set<string>();
  #waiting: string[] = [];
  #running = 0;

  /** @param done gets the value, or null and what was thrown. */
  constructor(
    ask: (key: string) => Promise<T>,
    done: (key: string, value: T | null, error: unknown) => void,
    atOnce = 2,
  ) {
    this.#ask = ask;
    this.#done = done;
    this.#atOnce = atOnce;
  }

  /** How many are waiting or running. */
  get open(): number {
    return this.#waiting.length + this.#running;
  }

  /** Puts a key in front of the line; one that was asked for before is left alone. */
  wish(key: string): void {
    const at = this.#waiting.indexOf(key);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      this.#waiting.unshift(key);
      return;
    }
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#waiting.unshift(key);
    this.#next();
  }

  /** Lets waiting keys go that are no longer wanted; they may be wished for again. */
  keepOnly(wanted: ReadonlySet<string>): void {
    this.#waiting = this.#waiting.filter((key) => {
      if (wanted.has(key)) return true;
      this.#known.delete(key);
      return false;
    });
  }

  #next(): void {
    while (this.#running < this.#atOnce) {
      const key = this.#waiting.shift();
      if (key === undefined) return;
      this.#running++;
      this.#ask(key)
        .then((value) => this.#done(key, value, null))
        .catch((error: unknown) => this.#done(key, null, error))
        .finally(() => {
          this.#running--;
          this.#next();
        });
    }
  }
}
