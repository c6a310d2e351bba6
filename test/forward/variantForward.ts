import type { Engine } from "#engine/evaluate/stream/engine.ts";
import { withTable } from "#engine/evaluate/stream/hiddenStates.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { createScratch, createWeightMaker } from "#engine/evaluate/stream/variantWeights.ts";
import { readHead, readLayer } from "./runModel.ts";

/** Logits (tokens, vocabulary) of a variant on one window. */
export async function variantForward(
  { architecture, checkpoint, forward }: Engine,
  variant: Variant,
  ids: readonly number[],
): Promise<Float32Array> {
  const maker = createWeightMaker(architecture, variant, createScratch());
  const { embedTensor, headTensor, facts } = architecture;
  const table = maker.tensor(embedTensor, await checkpoint.read(embedTensor));
  let hidden = await forward.embed(withTable(checkpoint, embedTensor, table, facts.hiddenSize), [ids]);
  for (let layer = 0; layer < facts.layers; layer++) {
    const weights = maker.layer(layer, await readLayer(architecture, checkpoint, layer));
    hidden = await forward.layer(layer, hidden, weights);
  }
  const own = await readHead(architecture, checkpoint);
  return forward.logits(hidden.data, { ...own, head: maker.tensor(headTensor, own.head) });
}
