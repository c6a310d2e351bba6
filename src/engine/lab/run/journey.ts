import { paceSince } from "#shared/contract/pace.ts";
import type { Progress } from "#shared/contract/job.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";

/** Passes of one kind that are still to come. */
interface Ahead {
  /** What each was announced to take, in their order. */
  readonly announced: number[];
  /** What the last one took beside what was announced of it. */
  ratio: number;
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
    this.#of(kind).announced.push(...Array<number>(count).fill(units));
  }

  /** Takes back announced passes that will not be made, the last ones of their kind. */
  skip(kind: string, count = 1): void {
    const { announced } = this.#of(kind);
    announced.length = Math.max(0, announced.length - count);
  }

  /**
   * The watch of the next pass of a kind. The pass before it counts as finished. Where the pass turns out longer or shorter than
   * was announced, the others of its kind are expected to be so too, in proportion.
   */
  pass(kind: string, label: string): Watch {
    this.#finished += this.#current;
    const ahead = this.#of(kind);
    const announced = ahead.announced.shift() ?? 0;
    this.#current = announced * ahead.ratio;
    return {
      control: this.#watch.control,
      onProgress: (progress) => {
        this.#current = progress.total;
        if (announced > 0) ahead.ratio = progress.total / announced;
        this.#watch.onProgress?.(this.#whole(progress, label));
      },
    };
  }

  #of(kind: string): Ahead {
    const ahead = this.#ahead.get(kind) ?? { announced: [], ratio: 1 };
    this.#ahead.set(kind, ahead);
    return ahead;
  }

  #whole({ done, unit, phase }: Progress, label: string): Progress {
    const coming = [...this.#ahead.values()]
      .flatMap(({ announced, ratio }) => announced.map((units) => units * ratio))
      .reduce((sum, units) => sum + units, 0);
    const made = this.#finished + done;
    const total = this.#finished + this.#current + coming;
    const seconds = (performance.now() - this.#begin) / 1000;
    return {
      done: made,
      total,
      unit,
      phase: `${label}: ${phase}`,
      ...paceSince(seconds, { done: made, total }),
    };
  }
}
