import type { Progress } from "#shared/job.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";

/** Passes of one kind that are still to come. */
interface Ahead {
  /** About what one of them takes. */
  units: number;
  left: number;
}

/**
 * One progress over all passes of an experiment: each pass counts its own units, the whole is told. Units are the passes' own,
 * tokens·layers.
 */
export class Journey {
  readonly #watch: Watch;
  readonly #begin = performance.now();
  readonly #ahead = new Map<string, Ahead>();
  /** Units of the finished passes. */
  #finished = 0;
  /** Units of the pass at hand. */
  #current = 0;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** Announces passes, so that the total is known before the first begins. */
  announce(kind: string, units: number, count = 1): void {
    const ahead = this.#ahead.get(kind) ?? { units, left: 0 };
    this.#ahead.set(kind, { units, left: ahead.left + count });
  }

  /** Takes back announced passes that will not be made. */
  skip(kind: string, count = 1): void {
    const ahead = this.#ahead.get(kind);
    if (ahead) ahead.left = Math.max(0, ahead.left - count);
  }

  /**
   * The watch of the next pass of a kind. The pass before it counts as finished. Where the pass turns out longer or shorter than
   * was announced, the others of its kind are expected to be so too.
   */
  pass(kind: string, label: string): Watch {
    this.#finished += this.#current;
    const ahead = this.#ahead.get(kind) ?? { units: 0, left: 0 };
    this.#ahead.set(kind, ahead);
    ahead.left = Math.max(0, ahead.left - 1);
    this.#current = ahead.units;
    return {
      control: this.#watch.control,
      onProgress: (progress) => {
        this.#current = progress.total;
        ahead.units = progress.total;
        this.#watch.onProgress?.(this.#whole(progress, label));
      },
    };
  }

  #whole({ done, unit, phase }: Progress, label: string): Progress {
    const coming = [...this.#ahead.values()].reduce((sum, { units, left }) => sum + units * left, 0);
    const made = this.#finished + done;
    const total = this.#finished + this.#current + coming;
    const seconds = (performance.now() - this.#begin) / 1000;
    const rate = seconds > 0 && made > 0 ? made / seconds : null;
    return {
      done: made,
      total,
      unit,
      phase: `${label}: ${phase}`,
      rate,
      secondsLeft: rate === null ? null : (total - made) / rate,
    };
  }
}
