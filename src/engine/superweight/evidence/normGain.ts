import type { Candidate } from "#shared/detection.ts";
import { median } from "#engine/evaluate/metrics.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import { keyOf, type Proposal } from "./candidates.ts";

export type NormGain = NonNullable<Candidate["normGain"]>;

/**
 * The MLP norm's gain at each candidate's channel, beside the median gain: the norm and the weight make a spike together. Layers whose
 * norm has no weight are left out.
 */
export async function readNormGains(
  { architecture, checkpoint }: Engine,
  proposals: readonly Proposal[],
): Promise<Map<string, NormGain>> {
  const gains = new Map<string, NormGain>();
  for (const layer of new Set(proposals.map((it) => it.layer))) {
    const group = architecture.smoothGroups(layer).find(({ input }) => input === "mlp");
    const norm = group?.norms[0];
    if (group === undefined || norm === undefined) continue;
    const stored = await checkpoint.read(norm);
    const weights = group.onePlus ? stored.map((weight) => 1 + weight) : stored;
    const middle = median(Array.from(weights, Math.abs));
    for (const proposal of proposals.filter((it) => it.layer === layer))
      gains.set(keyOf(proposal), { value: weights[proposal.row], median: middle });
  }
  return gains;
}
