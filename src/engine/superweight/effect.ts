import type { Effect } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { scoreOriginal, scoreWave, type ScoreRequest } from "../evaluate/score.ts";
import type { OriginalReference } from "../evaluate/types.ts";
import { scaleWeights } from "./edits.ts";

export interface EffectRequest extends ScoreRequest {
  readonly coordinates: readonly Coordinate[];
  /** The original on the same windows, where it is known. */
  readonly reference?: OriginalReference;
}

/**
 * What each weight is worth: perplexity and KL against the original with that one weight zeroed, in the order asked.
 * Layers before the weight's are computed once for all.
 */
export async function measureEffect(request: EffectRequest): Promise<Effect[]> {
  const reference = request.reference ?? (await scoreOriginal(request));
  const variants = request.coordinates.map((coordinate) => ({
    id: coordinate.join(),
    plans: new Map(),
    edits: scaleWeights(request.architecture, [coordinate], 0),
  }));
  const found = await scoreWave({ ...request, reference, variants });
  return found.map(({ scores }) => ({
    perplexity: scores?.perplexity ?? null,
    baseline: reference.scores.perplexity,
    kl: scores?.kl?.mean ?? null,
    tokens: reference.scores.tokens,
  }));
}
