import type { VariantResult } from "#shared/run.ts";

/** A variant back at the start; only its attempts are remembered. */
export function waitingAgain(result: VariantResult): VariantResult {
  const { id, index, recipe, label, attempts } = result;
  return newVariant({ id, index, recipe, label, attempts });
}

export function newVariant(
  fields: Pick<VariantResult, "id" | "index" | "recipe" | "label" | "attempts">,
): VariantResult {
  return {
    ...fields,
    status: "waiting",
    bitsPerWeight: null,
    fileBitsPerWeight: null,
    perplexity: null,
    nll: null,
    tokens: null,
    kl: null,
    sqnrDb: null,
    seconds: null,
    worker: null,
    startedAt: null,
    finishedAt: null,
  };
}
