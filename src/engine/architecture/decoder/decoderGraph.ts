import type { DecoderConfig } from "./decoderConfig.ts";
import { decoderLayer, type KeysAndValues, type LayerOperands } from "./decoderLayer.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { rmsNorm } from "../graph/layerParts.ts";
import { causalMaskOf, windowOf } from "./mask.ts";
import { rotaryOf } from "../rope/ropeGraph.ts";
import type { Architecture, DecoderWeights } from "./architecture.ts";

type Names = Pick<Architecture, "embedTensor" | "normTensor" | "headTensor" | "layerTensors">;

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
export function buildDecoderGraph(config: DecoderConfig, names: Names, weights: DecoderWeights): Graph {
  const { vocabulary, keyValueHeads, headSize, normEpsilon } = config;
  const g = new Graph("decoder");
  const ids = g.input(DECODER_IO.ids, ["batch", "sequence"], "int64");
  const attentionMask = g.input(DECODER_IO.mask, ["batch", "total"], "int64");
  const positions = g.input(DECODER_IO.positions, ["batch", "sequence"], "int64");
  const cache = (tokens: string) => ["batch", keyValueHeads, tokens, headSize] as const;
  const pasts = Array.from({ length: config.layers }, (_, layer): KeysAndValues => ({
    keys: g.input(DECODER_IO.pastKeys(layer), cache("past")),
    values: g.input(DECODER_IO.pastValues(layer), cache("past")),
  }));

  const [batch, sequence] = [g.size(ids, 0), g.size(ids, 1)];
  const windows = new Set(pasts.map((_, layer) => windowOf(config, layer)));
  const masks = new Map(
    Array.from(windows, (window) => [window, causalMaskOf(g, attentionMask, sequence, window)]),
  );
  const maskOf = (layer: number): Value =>
    masks.get(windowOf(config, layer)) ?? causalMaskOf(g, attentionMask, sequence, null);
  const { cos, sin } = rotaryOf(g, config.rope, config.rotarySize, positions);
  const shared = { batch, sequence, cos, sin };

  let x = g.scope("embed", () => weights.rows(g, names.embedTensor, g.reshape(ids, [-1])));
  const presents = pasts.map((past, layer) =>
    g.scope(`layers.${layer}`, () => {
      const { y, present } = decoderLayer(g, config, operandsOf(g, names, weights, layer), {
        ...shared,
        mask: maskOf(layer),
        x,
        past,
      });
      x = y;
      return present;
    }),
  );
  const logits = g.scope("head", () => {
    const u = rmsNorm(g, x, weights.vector(g, names.normTensor), normEpsilon);
    return g.reshape(weights.linear(g, names.headTensor, u, null), [batch, sequence, vocabulary]);
  });
  g.output(DECODER_IO.logits, logits, ["batch", "sequence", vocabulary]);
  presents.forEach(({ keys, values }, layer) => {
    g.output(DECODER_IO.presentKeys(layer), keys, cache("total"));
    g.output(DECODER_IO.presentValues(layer), values, cache("total"));
  });
  return g;
}

/** A layer's weights, wherever they are stored, by slot. */
function operandsOf(g: Graph, names: Names, weights: DecoderWeights, layer: number): LayerOperands {
  const bySlot = new Map(names.layerTensors(layer).map(({ slot, name }) => [slot, name]));
  const nameOf = (slot: string): string => {
    const name = bySlot.get(slot);
    if (name === undefined) throw new Error(`layer ${layer} has no tensor in slot ${slot}`);
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
