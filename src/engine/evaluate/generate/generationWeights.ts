import { freemem } from "node:os";
import { EXPERTS, type HeadWeights, type LayerWeights } from "#engine/forward/forward.ts";
import { withTable } from "../stream/hiddenStates.ts";
import { readHead } from "../stream/judgeHead.ts";
import { createLayerReader } from "../stream/layerReader.ts";
import type { Engine } from "../stream/engine.ts";
import type { Variant } from "../stream/variant.ts";
import { createScratch, createWeightMaker } from "../stream/variantWeights.ts";

/** Models whose widened weights fit together into this share of the free memory are kept there while their texts are generated. */
const KEEP_SHARE = 0.5;

/** What one variant embeds tokens with and judges them by. */
export interface LaneEnds {
  /** Where the rows of the embedding table are read from: the checkpoint, or the variant's own table. */
  readonly embedding: Parameters<Engine["forward"]["embed"]>[0];
  /** The original's own where the variant does not change it. */
  readonly head: HeadWeights;
}

/** The weights of several variants of one checkpoint, layer by layer. */
export interface GenerationWeights {
  readonly ends: readonly LaneEnds[];
  /**
   * A layer of every variant, by the variant's index: read once for all of them, made when it is asked for. What is made lies in
   * memory that the next one overwrites, unless all layers are kept.
   * @throws KeystoneError checkpoint/not-finite
   */
  layer(layer: number): Promise<(lane: number) => LayerWeights>;
}

/** Keeps the weights in memory where they fit there; else every layer is read and made anew each time. */
export async function generationWeights(
  engine: Engine,
  variants: readonly Variant[],
): Promise<GenerationWeights> {
  const { architecture, checkpoint } = engine;
  const scratch = createScratch();
  const makers = variants.map((variant) => createWeightMaker(architecture, variant, scratch));
  const original = await readHead(engine);
  const ends: LaneEnds[] = [];
  for (const [lane, variant] of variants.entries()) {
    const table = variant.plans.has(architecture.embedTensor)
      ? makers[lane].tensor(architecture.embedTensor, await checkpoint.read(architecture.embedTensor))
      : null;
    ends.push({
      embedding: table
        ? withTable(checkpoint, architecture.embedTensor, table, architecture.facts.hiddenSize)
        : checkpoint,
      head: { ...original, head: makers[lane].tensor(architecture.headTensor, original.head) },
    });
  }

  const reader = createLayerReader(engine);
  const kept: LayerWeights[][] = [];
  const bytes = layerBytes(engine) * architecture.facts.layers * variants.length;
  const keeps = bytes < freemem() * KEEP_SHARE;
  return {
    ends,
    layer: async (layer) => {
      const known = kept.at(layer);
      if (known) return (lane) => known[lane];
      const source = await reader.read(layer);
      const make = (lane: number): LayerWeights => makers[lane].layer(layer, source);
      if (!keeps) return make;
      const copies = copiesOf(
        source,
        variants.map((_, lane) => () => make(lane)),
      );
      kept[layer] = copies;
      return (lane) => copies[lane];
    },
  };
}

/** Copies of what is made, one variant after the other; what a variant takes from the original as it is, is copied once for all. */
function copiesOf(source: LayerWeights, made: readonly (() => LayerWeights)[]): LayerWeights[] {
  const shared = new Map<string, Float32Array>();
  const copy = (slot: string, values: Float32Array): Float32Array => {
    if (values !== source[slot]) return values.slice();
    const known = shared.get(slot) ?? values.slice();
    shared.set(slot, known);
    return known;
  };
  return made.map((make) => {
    const weights = make();
    const read = weights[EXPERTS];
    return {
      ...Object.fromEntries(Object.entries(weights).map(([slot, values]) => [slot, copy(slot, values)])),
      // of a layer with experts only what all tokens go through is kept
      ...(read ? { [EXPERTS]: read } : {}),
    };
  });
}

function layerBytes({ architecture }: Engine): number {
  const weights = architecture
    .layerTensors(0)
    .reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  return weights * Float32Array.BYTES_PER_ELEMENT;
}
