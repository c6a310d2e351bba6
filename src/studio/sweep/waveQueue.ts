import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import type { VariantResult } from "#shared/run.ts";

/** Each worker's first wave is this small, so that the first results come early. */
const FIRST_WAVE = 2;
/** How often one variant may meet the death of its worker. */
const MAX_ATTEMPTS = 2;

/**
 * Deals variants out in waves. A wave reads each layer once and judges against the original's log-probabilities once, so
 * waves are as large as they may be, but for each worker's first; the last ones share out what is left evenly, so that the
 * workers end together. A variant that was in a worker's hands when it died runs alone the second time, so that the one
 * that kills workers is found and the others are not held up by it.
 */
export class WaveQueue {
  readonly #waiting: VariantResult[];
  readonly #alone: VariantResult[];
  readonly #workers: number;
  readonly #most: number;
  #dealt = 0;
  /** Size of the last waves, once all that wait fit into one for each worker. */
  #share: number | null = null;

  /** @param variants in the order to run them; those with an attempt behind them run alone, after the others */
  constructor(variants: readonly VariantResult[], workers: number, most: number) {
    this.#waiting = variants.filter((variant) => variant.attempts === 0);
    this.#alone = variants.filter((variant) => variant.attempts > 0);
    this.#workers = workers;
    this.#most = most;
  }

  /** The next wave; empty when nothing waits. Each variant has one attempt more. */
  next(): VariantResult[] {
    const wave =
      this.#waiting.length > 0 ? this.#waiting.splice(0, this.#nextSize()) : this.#alone.splice(0, 1);
    return wave.map((variant) => ({ ...variant, attempts: variant.attempts + 1 }));
  }

  #nextSize(): number {
    const even = Math.ceil(this.#waiting.length / this.#workers);
    if (this.#dealt++ < this.#workers) return Math.min(FIRST_WAVE, this.#most, even);
    if (this.#share === null && even <= this.#most) this.#share = even;
    return this.#share ?? this.#most;
  }

  /** Takes back what a dead worker left unfinished; returns those that have had their last attempt. */
  died(unfinished: readonly VariantResult[], alone: boolean): VariantResult[] {
    const lost = unfinished.filter((variant) => alone && variant.attempts >= MAX_ATTEMPTS);
    this.#alone.push(...unfinished.filter((variant) => !lost.includes(variant)));
    return lost;
  }

  /** Everything that has not been dealt out. */
  get rest(): readonly VariantResult[] {
    return [...this.#waiting, ...this.#alone];
  }
}

/** Why a variant that has had its last attempt has no scores. @param message of the last worker's end */
export function diedTwice(variant: VariantResult, message: string): KeystoneErrorData {
  return new KeystoneError(
    "worker/died-twice",
    `Two workers ended while they scored this variant. The last one: ${message}`,
    "Look at the recipe and at the memory it needs; then retry the variant.",
    { variant: variant.id },
  ).toData();
}
