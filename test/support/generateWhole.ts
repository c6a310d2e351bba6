import type { HiddenBatch } from "#engine/forward/forward.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import { readHead } from "#engine/evaluate/stream/judgeHead.ts";
import { createScratch, createWeightMaker } from "#engine/evaluate/stream/variantWeights.ts";

/** The most likely tokens after a prompt, the plain way: the whole text runs again for each, nothing is kept. */
export async function generateWhole(
  engine: Engine,
  variant: Variant,
  prompt: readonly number[],
  tokens: number,
): Promise<number[]> {
  const { architecture, forward, checkpoint } = engine;
  const { layers, hiddenSize } = architecture.facts;
  const maker = createWeightMaker(architecture, variant, createScratch());
  const reader = createLayerReader(engine);
  const own = await readHead(engine);
  const head = maker.tensor(architecture.headTensor, own.head);
  const ids = [...prompt];
  for (let i = 0; i < tokens; i++) {
    let hidden: HiddenBatch = await forward.embed(checkpoint, [ids]);
    for (let layer = 0; layer < layers; layer++) {
      const weights = maker.layer(layer, await reader.read(layer));
      hidden = await forward.layer(layer, hidden, weights, variant.activations?.layers[layer]);
    }
    const logits = await forward.logits(hidden.data.slice(-hiddenSize), { ...own, head });
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  return ids.slice(prompt.length);
}
