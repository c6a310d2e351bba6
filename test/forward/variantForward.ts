import type { Engine } from "#engine/evaluate/stream/engine.ts";
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
  const width = facts.hiddenSize;
  const readRows = (_name: string, indices: ArrayLike<number>): Promise<Float32Array> =>
    Promise.resolve(
      Float32Array.from(
        Array.from(indices).flatMap((row) => [...table.subarray(row * width, (row + 1) * width)]),
      ),
    );
  let hidden = await forward.embed({ readRows }, [ids]);
  for (let layer = 0; layer < facts.layers; layer++) {
    const weights = maker.layer(layer, await readLayer(architecture, checkpoint, layer));
    hidden = await forward.layer(layer, hidden, weights);
  }
  const own = await readHead(architecture, checkpoint);
  return forward.logits(hidden.data, { ...own, head: maker.tensor(headTensor, own.head) });
}
