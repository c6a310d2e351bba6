import { linearInputs } from "../inputs/quantizedInputs.ts";
import type { Decoder } from "../description/description.ts";
import { rotaryTables } from "../rope/rope.ts";
import { buildDecoderGraph } from "./decoderGraph.ts";
import { decoderLayer, mlpOf, type LayerOperands, type PositionValues } from "./decoderLayer.ts";
import { factsOf } from "./facts.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { buildHeadGraph, buildJudgeGraph, buildScoreGraph } from "./heads.ts";
import { causalMask } from "./mask.ts";
import { expertTensors, layerTensors, ofExpert, outerTensors, smoothGroups } from "./tensors.ts";
import type { Architecture, LayerGraphOptions, PositionTables } from "./architecture.ts";

/** Everything that the forward pass, exports and reports need of a described decoder. */
export function decoder(it: Decoder): Architecture {
  const { embedding, head, layers } = it;
  const kinds = [...new Set(layers)].map((layer) => layers.indexOf(layer));
  return {
    description: it,
    facts: factsOf(it),
    embedTensor: embedding.tensor,
    headTensor: head.tied ? embedding.tensor : head.tensor,
    outerTensors: outerTensors(it),
    kinds,
    kindOf: (layer) => kinds.findIndex((first) => layers[first] === layers[layer]),
    layerTensors: (layer) => layerTensors(it, layer),
    smoothGroups: (layer) => smoothGroups(it, layer),
    expertTensors: (layer, expert) => expertTensors(it, layer, expert),
    expertsOf: (layer) => layers[layer].mlp.body.experts?.count ?? 0,
    // a recipe may name a layer or an expert that the model does not have, and is told by the tensor's name
    downProjection: (layer, expert) => {
      const { path } = (layers[layer] ?? layers[0]).mlp.body.down;
      return `${it.layersPath}.${layer}.${expert === undefined ? path : ofExpert(path, expert)}.weight`;
    },
    addsDownOutput: (layer) =>
      layers[layer].mlp.after === null &&
      layers[layer].mlp.residual === 1 &&
      layers[layer].scalar === undefined,
    positionTables: (layer, length, from) => positionTables(it, layer, length, from),
    mask: maskOfLayers(it),
    layerGraph: (layer, options) => layerGraph(it, layer, options),
    expertGraph: (layer, options) => expertGraph(it, layer, options),
    headGraph: () => buildHeadGraph(it),
    scoreGraph: () => buildScoreGraph(it),
    judgeGraph: () => buildJudgeGraph(it),
    decoderGraph: (weights) => buildDecoderGraph(it, weights),
  };
}

function positionTables({ layers }: Decoder, layer: number, length: number, from = 0): PositionTables {
  const { rotary, queryTemperature } = layers[layer].attention.body;
  return {
    ...(rotary ? rotaryTables(rotary.settings, rotary.size, length, from) : {}),
    ...(queryTemperature
      ? {
          query_scale: Float32Array.from({ length: length - from }, (_, i) => {
            const times = Math.floor((from + i) / queryTemperature.originalContext);
            return 1 + queryTemperature.beta * Math.log(1 + times);
          }),
        }
      : {}),
  };
}

/** Layers share one mask, or two where only some have a window; the last length's are kept, so that a pass makes each once. */
function maskOfLayers({ layers }: Decoder): Architecture["mask"] {
  const kept = new Map<number | null, { length: number; from: number; mask: Float32Array }>();
  return (layer, length, from = 0) => {
    const { window } = layers[layer].attention.body;
    const found = kept.get(window);
    if (found?.length === length && found.from === from) return found.mask;
    const mask = causalMask(length, window, from);
    kept.set(window, { length, from, mask });
    return mask;
  };
}

function layerGraph(it: Decoder, layer: number, options: LayerGraphOptions): Uint8Array {
  const { hiddenSize } = it;
  const { attention, mlp } = it.layers[layer];
  const { keyValueHeads, headSize } = attention.body;
  const g = new Graph("layer");
  const hidden = g.input("hidden", ["batch", "sequence", hiddenSize]);
  const perWindow = options.branching ? ["batch", 1] : [];
  const positions = positionInputs(g, it, layer, perWindow);
  const mask = g.input("mask", [...perWindow, "sequence", options.cache === "append" ? "total" : "sequence"]);
  const tensors = layerTensors(it, layer).filter(({ expert }) => !expert);
  const weights = new Map(tensors.map(({ slot, shape }) => [slot, g.input(slot, shape)]));
  /** What goes into each linear, by slot. */
  const seen = new Map<string, Value>();

  const x = g.reshape(hidden, [-1, hiddenSize]);
  const [batch, sequence] = [g.size(hidden, 0), g.size(hidden, 1)];
  const cacheShape = (tokens: string) => ["batch", keyValueHeads, tokens, headSize];
  const past = options.cache === "append" && {
    keys: g.input("past_keys", cacheShape("past")),
    values: g.input("past_values", cacheShape("past")),
  };
  const input = { x, batch, sequence, ...positions, mask, ...(past && { past }) };
  const style = {
    queryBlocks: options.queryBlocks,
    inputs: linearInputs(g, options.activations, batch),
  };
  const result = decoderLayer(g, it.layers[layer], bySlot(g, weights, seen), input, style);
  const { y, present, attentionInput, mlpInput, down, routing } = result;

  const output = (name: string, rows: Value, width: number): void =>
    g.output(name, g.reshape(rows, [batch, sequence, width]), ["batch", "sequence", width]);
  if (options.taps && down) {
    output("down_input", down.input, mlp.body.width);
    output("down_output", down.output, hiddenSize);
  }
  if (routing) {
    const shape = ["batch", "sequence", routing.perToken];
    const perToken = (rows: Value): Value => g.reshape(rows, [batch, sequence, routing.perToken]);
    output("experts_input", routing.input, hiddenSize);
    g.output("shares", perToken(routing.shares), shape);
    g.output("chosen", perToken(routing.chosen), shape, "int64");
  }
  if (options.maxima) {
    g.output("attention_maxima", columnMaxima(g, attentionInput), [hiddenSize]);
    g.output("mlp_maxima", columnMaxima(g, mlpInput), [hiddenSize]);
  }
  if (options.linearInputs) {
    for (const { slot, shape } of tensors) {
      const rows = seen.get(slot);
      if (rows) output(`${slot}_input`, rows, shape[1]);
    }
  }
  if (options.cache) {
    g.output("present_keys", present.keys, cacheShape("total"));
    g.output("present_values", present.values, cacheShape("total"));
  }
  output("hidden_out", y, hiddenSize);
  return g.encode();
}

function expertGraph(it: Decoder, layer: number, { taps }: Pick<LayerGraphOptions, "taps">): Uint8Array {
  const { hiddenSize } = it;
  const { body } = it.layers[layer].mlp;
  const g = new Graph("expert");
  const x = g.input("x", ["rows", hiddenSize]);
  const weights = new Map(
    expertTensors(it, layer, 0).map(({ shape, expert }) => [
      expert?.slot ?? "",
      g.input(expert?.slot ?? "", shape),
    ]),
  );
  const { input, output } = mlpOf(g, body, bySlot(g, weights, new Map()), x);
  if (taps) g.output("down_input", input, ["rows", body.width]);
  g.output("down_output", output, ["rows", hiddenSize]);
  return g.encode();
}

/** The tables of positions as inputs, of the names and widths that {@link positionTables} has. */
function positionInputs(
  g: Graph,
  it: Decoder,
  layer: number,
  perWindow: readonly (string | number)[],
): PositionValues {
  const widths = Object.entries(positionTables(it, layer, 1)).map(
    ([name, table]) => [name, table.length] as const,
  );
  return Object.fromEntries(
    widths.map(([name, width]) => [name, g.input(name, [...perWindow, "sequence", width])]),
  );
}

/** max |x| of every column. */
function columnMaxima(g: Graph, x: Value): Value {
  return g.op("ReduceMax", [g.op("Abs", [x]), g.ints([0])], { keepdims: 0 });
}

/** Looks weights up by slot; `linear` adds the bias where the layer has one, and notes what goes in. */
function bySlot(g: Graph, weights: ReadonlyMap<string, Value>, seen: Map<string, Value>): LayerOperands {
  const weight = (slot: string): Value => {
    const value = weights.get(slot);
    if (!value) throw new Error(`the layer has no tensor in slot ${slot}`);
    return value;
  };
  const linear = (slot: string, x: Value): Value => {
    seen.set(slot, x);
    return g.scope(slot, () => g.linear(x, weight(slot), weights.get(`${slot}_bias`)));
  };
  return { weight, linear };
}
