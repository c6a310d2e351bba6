interface Waiting<T> {
  readonly item: T;
  readonly start: () => void;
}

/** One at a time, in an order that can be changed while they wait. */
export class Turns<T> {
  #running: T | null = null;
  #waiting: Waiting<T>[] = [];
  readonly #changed: (waiting: readonly T[]) => void;

  /** @param changed told of those that wait whenever their order changes */
  constructor(changed: (waiting: readonly T[]) => void) {
    this.#changed = changed;
  }

  get running(): T | null {
    return this.#running;
  }

  /** 0 = has its turn, n = the n-th of those that wait, null = neither. */
  placeOf(item: T): number | null {
    if (item === this.#running) return 0;
    const at = this.#waiting.findIndex((one) => one.item === item);
    return at < 0 ? null : at + 1;
  }

  /** Resolves when it is the item's turn, or when it was taken out of the queue. */
  take(item: T): Promise<void> {
    if (this.#running === null) {
      this.#running = item;
      return Promise.resolve();
    }
    return new Promise((start) => {
      this.#waiting.push({ item, start });
      this.#tell();
    });
  }

  /** Gives the turn of an item that has it to the next one. */
  release(item: T): void {
    if (this.#running !== item) return;
    const next = this.#waiting.shift();
    this.#running = next?.item ?? null;
    next?.start();
    this.#tell();
  }

  /** Lets an item that waits go on at once, without a turn: it was cancelled. */
  remove(item: T): void {
    const found = this.#waiting.find((one) => one.item === item);
    if (!found) return;
    this.#waiting = this.#waiting.filter((one) => one !== found);
    found.start();
    this.#tell();
  }

  /** Moves an item that waits one place on or back; false where it does not wait. At either end it stays. */
  move(item: T, direction: "up" | "down"): boolean {
    const from = this.#waiting.findIndex((one) => one.item === item);
    if (from < 0) return false;
    const to = Math.min(this.#waiting.length - 1, Math.max(0, from + (direction === "up" ? -1 : 1)));
    const order = this.#waiting.filter((_, i) => i !== from);
    const [moved] = this.#waiting.slice(from, from + 1);
    if (moved) this.#waiting = [...order.slice(0, to), moved, ...order.slice(to)];
    this.#tell();
    return true;
  }

  #tell(): void {
    this.#changed(this.#waiting.map(({ item }) => item));
  }
}
