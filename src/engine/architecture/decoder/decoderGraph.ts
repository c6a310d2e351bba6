import type { Attention, Decoder } from "../description/description.ts";
import { decoderLayer, type KeysAndValues, type LayerOperands, type PositionValues } from "./decoderLayer.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { logitsOf } from "./heads.ts";
import { causalMaskOf } from "./mask.ts";
import { rotaryOf } from "../rope/ropeGraph.ts";
import type { DecoderWeights, LayerTensor } from "./architecture.ts";
import { layerTensors, normTensors } from "./tensors.ts";

/** Names of the inputs and outputs of a whole decoder, as Hugging Face's exporters and onnxruntime-genai have them. */
export const DECODER_IO = {
  ids: "input_ids",
  mask: "attention_mask",
  positions: "position_ids",
  logits: "logits",
  pastKeys: (layer: number | string) => `past_key_values.${layer}.key`,
  pastValues: (layer: number | string) => `past_key_values.${layer}.value`,
  presentKeys: (layer: number | string) => `present.${layer}.key`,
  presentValues: (layer: number | string) => `present.${layer}.value`,
} as const;

/** From token ids to logits, with the keys and values of the tokens before. Inputs and outputs: Architecture.decoderGraph. */
export function buildDecoderGraph(decoder: Decoder, weights: DecoderWeights): Graph {
  const { vocabulary, layers } = decoder;
  const g = new Graph("decoder");
  const ids = g.input(DECODER_IO.ids, ["batch", "sequence"], "int64");
  const attentionMask = g.input(DECODER_IO.mask, ["batch", "total"], "int64");
  const positions = g.input(DECODER_IO.positions, ["batch", "sequence"], "int64");
  const cache = (layer: number, tokens: string) => {
    const { keyValueHeads, headSize } = layers[layer].attention.body;
    return ["batch", keyValueHeads, tokens, headSize] as const;
  };
  const pasts = layers.map((_, layer): KeysAndValues => ({
    keys: g.input(DECODER_IO.pastKeys(layer), cache(layer, "past")),
    values: g.input(DECODER_IO.pastValues(layer), cache(layer, "past")),
  }));

  const [batch, sequence] = [g.size(ids, 0), g.size(ids, 1)];
  const maskOf = once(
    ({ window }: Attention) => window,
    ({ window }) => causalMaskOf(g, attentionMask, sequence, window),
  );
  const positionsOf = once(
    ({ rotary, queryTemperature }: Attention) => JSON.stringify([rotary, queryTemperature]),
    (attention) => positionValues(g, attention, positions),
  );

  let x = g.scope("embed", () => embedded(g, decoder, weights, ids, positions));
  const presents = pasts.map((past, layer) =>
    g.scope(`layers.${layer}`, () => {
      const attention = layers[layer].attention.body;
      const operands = operandsOf(g, layerTensors(decoder, layer), weights);
      const input = { batch, sequence, ...positionsOf(attention), mask: maskOf(attention), x, past };
      const { y, present } = decoderLayer(g, layers[layer], operands, input);
      x = y;
      return present;
    }),
  );
  const rows = headOf(g, decoder, weights, x);
  const logits = g.scope("head", () => g.reshape(rows, [batch, sequence, vocabulary]));
  g.output(DECODER_IO.logits, logits, ["batch", "sequence", vocabulary]);
  presents.forEach(({ keys, values }, layer) => {
    g.output(DECODER_IO.presentKeys(layer), keys, cache(layer, "total"));
    g.output(DECODER_IO.presentValues(layer), values, cache(layer, "total"));
  });
  return g;
}

/** What `make` gives, made once for all that have one key. */
function once<It, Made>(keyOf: (it: It) => unknown, make: (it: It) => Made): (it: It) => Made {
  const made = new Map<unknown, Made>();
  return (it) => {
    const found = made.get(keyOf(it)) ?? make(it);
    made.set(keyOf(it), found);
    return found;
  };
}

/** Rows (batch · sequence, hidden) of the tokens, and of their positions where those are learned. */
function embedded(
  g: Graph,
  { embedding }: Decoder,
  weights: DecoderWeights,
  ids: Value,
  positions: Value,
): Value {
  const rows = weights.rows(g, embedding.tensor, g.reshape(ids, [-1]));
  const scaled = embedding.scale === 1 ? rows : g.multiply(rows, g.float(embedding.scale));
  const learned = embedding.positions;
  if (!learned) return scaled;
  const places = g.add(g.reshape(positions, [-1]), g.int(learned.offset));
  return g.add(scaled, weights.rows(g, learned.tensor, places));
}

/** Architecture.positionTables, computed in the graph from (batch, sequence) int64. */
function positionValues(g: Graph, { rotary, queryTemperature }: Attention, positions: Value): PositionValues {
  return {
    ...(rotary ? rotaryOf(g, rotary.settings, rotary.size, positions) : {}),
    ...(queryTemperature ? { query_scale: temperatureOf(g, queryTemperature, positions) } : {}),
  };
}

/** 1 + β·ln(1 + ⌊position / originalContext⌋): (batch, 1, sequence, 1). */
function temperatureOf(
  g: Graph,
  { beta, originalContext }: NonNullable<Attention["queryTemperature"]>,
  positions: Value,
): Value {
  const times = g.cast(g.op("Div", [positions, g.int(originalContext)]), "float32");
  const scale = g.add(g.multiply(g.op("Log", [g.add(times, g.float(1))]), g.float(beta)), g.float(1));
  return g.reshape(scale, [0, 1, -1, 1]);
}

/** Logits of all rows: (batch · sequence, vocabulary). */
function headOf(g: Graph, decoder: Decoder, weights: DecoderWeights, x: Value): Value {
  const { norm, head, embedding, hiddenSize } = decoder;
  const names = new Map(normTensors(norm, norm.path, hiddenSize).map(({ slot, name }) => [slot, name]));
  return logitsOf(g, decoder, x, {
    weight: (slot) => weights.vector(g, names.get(slot) ?? slot),
    head: (u) => {
      const bias = head.bias === null ? null : weights.vector(g, head.bias);
      return weights.linear(g, head.tied ? embedding.tensor : head.tensor, u, bias);
    },
  });
}

/** A layer's weights, wherever they are stored, by slot. */
function operandsOf(g: Graph, tensors: readonly LayerTensor[], weights: DecoderWeights): LayerOperands {
  const bySlot = new Map(tensors.map(({ slot, name }) => [slot, name]));
  const nameOf = (slot: string): string => {
    const name = bySlot.get(slot);
    if (name === undefined) throw new Error(`the layer has no tensor in slot ${slot}`);
    return name;
  };
  const vector = (slot: string): Value => weights.vector(g, nameOf(slot));
  return {
    weight: vector,
    linear: (slot, x) =>
      g.scope(slot, () => {
        const bias = bySlot.has(`${slot}_bias`) ? vector(`${slot}_bias`) : null;
        return weights.linear(g, nameOf(slot), x, bias);
      }),
  };
}
