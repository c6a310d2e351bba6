import { freemem } from "node:os";
import type { HeadWeights, HiddenBatch, LayerWeights } from "../forward/types.ts";
import { readHead } from "./judgeHead.ts";
import { createLayerReader } from "./layerReader.ts";
import type { Engine, Variant } from "./types.ts";
import { createScratch, createWeightMaker } from "./variantWeights.ts";

/** Sequences are padded to multiples of this, so that graphs and tables serve many tokens; causal attention never sees the padding. */
const PAD = 32;
/** A model whose widened weights fit into this share of the free memory is kept there while its text is generated. */
const KEEP_SHARE = 0.5;

export interface GenerateRequest extends Engine {
  readonly variant: Variant;
  /** With BOS, where the tokenizer puts one. */
  readonly prompt: readonly number[];
  /** At most so many new tokens. */
  readonly tokens: number;
  readonly eos: number | null;
  /** Called with each new token; throws to stop. */
  readonly onToken: (id: number) => void | Promise<void>;
}

/**
 * Continues a prompt with the most likely token every time, until EOS or the limit; EOS itself is not returned. The whole
 * sequence runs again for every token: nothing is cached but the variant's weights, which are made once where they fit in
 * memory and for every token where they do not.
 * @throws KeystoneError checkpoint/not-finite, and what the variant's weights and `onToken` throw
 */
export async function generateGreedy({
  variant,
  prompt,
  tokens,
  eos,
  onToken,
  ...engine
}: GenerateRequest): Promise<number[]> {
  const { architecture, forward, checkpoint } = engine;
  const { layers, hiddenSize } = architecture.facts;
  const weights = await variantWeights(engine, variant);
  const ids = [...prompt];
  while (ids.length < prompt.length + tokens) {
    const padded = Int32Array.from({ length: Math.ceil(ids.length / PAD) * PAD }, (_, i) => ids[i] ?? 0);
    const embedded = await forward.embed(weights.embedding ?? checkpoint, [padded]);
    let hidden: HiddenBatch = { ...embedded, lengths: [ids.length] };
    for (let layer = 0; layer < layers; layer++) {
      const inputs = variant.activations?.layers[layer];
      hidden = await forward.layer(layer, hidden, await weights.layer(layer), inputs);
    }
    const next = mostLikely(await forward.logits(row(hidden, ids.length - 1, hiddenSize), weights.head));
    if (next === eos) break;
    ids.push(next);
    await onToken(next);
  }
  return ids.slice(prompt.length);
}

interface GenerationWeights {
  readonly head: HeadWeights;
  /** The variant's own embedding table; null = the checkpoint's, read by rows. */
  readonly embedding: Parameters<Engine["forward"]["embed"]>[0] | null;
  layer(layer: number): Promise<LayerWeights>;
}

async function variantWeights(engine: Engine, variant: Variant): Promise<GenerationWeights> {
  const { architecture, checkpoint } = engine;
  const { layers, hiddenSize } = architecture.facts;
  const maker = createWeightMaker(architecture, variant, createScratch());
  const reader = createLayerReader(engine);
  const make = async (layer: number): Promise<LayerWeights> => maker.layer(layer, await reader.read(layer));
  const original = await readHead(engine);
  const table = variant.plans.has(architecture.embedTensor)
    ? maker.tensor(architecture.embedTensor, await checkpoint.read(architecture.embedTensor))
    : null;

  const kept: LayerWeights[] = [];
  const keeps = layerBytes(engine) * layers < freemem() * KEEP_SHARE;
  return {
    head: { norm: original.norm, head: maker.tensor(architecture.headTensor, original.head) },
    embedding: table && { readRows: async (_name, indices) => rowsOf(table, indices, hiddenSize) },
    async layer(layer) {
      if (!keeps) return make(layer);
      // What is made lies in memory that the next layer overwrites.
      return (kept[layer] ??= Object.fromEntries(
        Object.entries(await make(layer)).map(([slot, values]) => [slot, values.slice()]),
      ));
    },
  };
}

function layerBytes({ architecture }: Engine): number {
  const weights = architecture
    .layerTensors(0)
    .reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  return weights * Float32Array.BYTES_PER_ELEMENT;
}

function rowsOf(table: Float32Array, indices: ArrayLike<number>, width: number): Float32Array {
  const rows = new Float32Array(indices.length * width);
  for (let i = 0; i < indices.length; i++)
    rows.set(table.subarray((indices[i] ?? 0) * width, ((indices[i] ?? 0) + 1) * width), i * width);
  return rows;
}

function row({ data }: HiddenBatch, position: number, width: number): Float32Array {
  return data.slice(position * width, (position + 1) * width);
}

/** The first of the largest. */
function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] ?? 0) > (logits[best] ?? 0)) best = i;
  return best;
}
