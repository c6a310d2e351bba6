import type { VariantResult } from "#shared/run.ts";
import type { Twin, VariantOutcome } from "#worker/protocol/task.ts";

/** A variant that waits for the scores of the one that makes its weights. */
type WaitingTwin = Twin & { readonly variant: VariantResult };

/** What has the weights of another takes its scores, and is not computed. */
export class Twins {
  readonly #bySame: ReadonlyMap<string, readonly WaitingTwin[]>;
  readonly #ids: ReadonlySet<string>;

  constructor(found: readonly Twin[], variants: readonly VariantResult[]) {
    const waiting = new Map(variants.map((variant) => [variant.id, variant]));
    const twins = found.flatMap((twin): WaitingTwin[] => {
      const variant = waiting.get(twin.id);
      return variant ? [{ ...twin, variant }] : [];
    });
    this.#bySame = Map.groupBy(twins, ({ sameAs }) => sameAs);
    this.#ids = new Set(twins.map(({ id }) => id));
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Those that wait for a variant. */
  of(id: string): VariantResult[] {
    return (this.#bySame.get(id) ?? []).map(({ variant }) => variant);
  }

  /** Rows of what makes the same weights: the same scores at their own bits per weight, or the same reason why there are none. */
  rowsOf(scored: VariantResult, outcome: VariantOutcome): VariantResult[] {
    return (this.#bySame.get(scored.id) ?? []).map(({ variant, bitsPerWeight, fileBitsPerWeight }) => {
      const { id, index, recipe, label } = variant;
      return {
        ...scored,
        ...(outcome.ok ? { bitsPerWeight, fileBitsPerWeight, seconds: 0 } : {}),
        ...{ id, index, recipe, label, sameAs: scored.id },
        ...{ worker: null, startedAt: null, finishedAt: null },
      };
    });
  }
}
