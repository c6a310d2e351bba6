import { SWEEP_STAGES, type Work } from "#shared/contract/job.ts";

/**
 * What the stages before the variants take, in variants. The original has no weights to make, but opens the model and cuts the text;
 * a search reads the model a few times for a few tokens.
 */
const DETECTING = 0.5;
const ORIGINAL = 1;

/** One progress over all stages of a sweep, in variants: whoever watches it sees it go from nothing to all, once. */
export class SweepStages {
  readonly #variants: number;
  readonly #detecting: number;

  constructor(variants: number, detects: boolean) {
    this.#variants = variants;
    this.#detecting = detects ? DETECTING : 0;
  }

  /** @param fraction of the search */
  detecting(fraction: number): Work {
    return this.#work(fraction * this.#detecting, "finding the super weights", SWEEP_STAGES.detecting);
  }

  /** @param fraction of the original's pass */
  original(fraction: number): Work {
    return this.#work(this.#detecting + fraction * ORIGINAL, "scoring the original", SWEEP_STAGES.original);
  }

  /** @param done variants, with the share of those in hand; `scored` counts those that are over */
  variants(done: number, scored: number): Work {
    const phase = scored === 0 ? "scoring the variants" : `${scored} of ${this.#variants} variants scored`;
    return this.#work(this.#detecting + ORIGINAL + done, phase, SWEEP_STAGES.variants);
  }

  #work(done: number, phase: string, stage: string): Work {
    const total = this.#detecting + ORIGINAL + this.#variants;
    return { done: Math.min(total, done), total, unit: "variants", phase, stage };
  }
}
