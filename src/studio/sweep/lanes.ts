import type { LaneView } from "#shared/contract/job.ts";
import type { VariantResult } from "#shared/run.ts";
import { throttle, type Throttled } from "../jobs/throttle.ts";

/** Lanes are told at most this often, in milliseconds. */
const LANES_MS = 200;

interface Wave {
  readonly worker: number;
  readonly variants: readonly VariantResult[];
  readonly tokens: number;
  readonly begun: number;
  fraction: number;
}

/** One wave in a worker's hands. */
export interface Lane {
  progress(fraction: number): void;
  /** Seconds since it began. */
  seconds(): number;
  end(): void;
}

/** What every worker of a sweep is doing. */
export class Lanes {
  readonly #waves: (Wave | null)[];
  readonly #tell: Throttled;
  readonly #show: (lanes: LaneView[]) => void;

  constructor(workers: number, show: (lanes: LaneView[]) => void) {
    this.#waves = new Array<Wave | null>(workers).fill(null);
    this.#show = show;
    this.#tell = throttle(() => show(this.#views()), LANES_MS);
  }

  /** @param tokens scored tokens of the text */
  begin(worker: number, variants: readonly VariantResult[], tokens: number): Lane {
    const wave: Wave = { worker, variants, tokens, begun: performance.now(), fraction: 0 };
    this.#waves[worker] = wave;
    this.#tell();
    return {
      progress: (fraction) => {
        wave.fraction = Math.max(wave.fraction, Math.min(1, fraction));
        this.#tell();
      },
      seconds: () => (performance.now() - wave.begun) / 1000,
      end: () => {
        this.#waves[worker] = null;
        this.#tell();
      },
    };
  }

  /**
   * How far the waves at hand are, in variants, without those that are over already (they are counted elsewhere).
   * Variants of a wave finish one after the other at its end, so its fraction is shared out in that order.
   */
  progressOf(inHand: (id: string) => boolean): number {
    return this.#waves.reduce((sum, wave) => {
      if (!wave) return sum;
      const over = wave.variants.filter((variant) => !inHand(variant.id)).length;
      return sum + Math.max(0, wave.fraction * wave.variants.length - over);
    }, 0);
  }

  /** Tells that nothing is at hand any more. */
  clear(): void {
    this.#waves.fill(null);
    this.#tell.flush();
    this.#show([]);
  }

  #views(): LaneView[] {
    return this.#waves.map((wave, worker) => {
      if (!wave) return { worker, variants: [], label: "idle", fraction: 0, tokensPerSecond: null };
      const seconds = (performance.now() - wave.begun) / 1000;
      const tokens = wave.fraction * wave.tokens * wave.variants.length;
      return {
        worker,
        variants: wave.variants.map((variant) => variant.id),
        label:
          wave.variants.length === 1 ? (wave.variants[0]?.label ?? "") : `${wave.variants.length} variants`,
        fraction: wave.fraction,
        tokensPerSecond: tokens > 0 && seconds > 0 ? tokens / seconds : null,
      };
    });
  }
}
