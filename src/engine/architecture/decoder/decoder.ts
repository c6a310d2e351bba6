import type { ArchitectureFacts } from "#shared/model.ts";
import { linearInputs } from "../inputs/quantizedInputs.ts";
import type { DecoderConfig } from "./decoderConfig.ts";
import { buildDecoderGraph } from "./decoderGraph.ts";
import { decoderLayer, type LayerOperands } from "./decoderLayer.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { buildHeadGraph, buildJudgeGraph, buildScoreGraph } from "../graph/heads.ts";
import { causalMask, windowOf } from "./mask.ts";
import { rotaryTables } from "../rope/rope.ts";
import { describeRope } from "../rope/ropeConfig.ts";
import type { Architecture, LayerGraphOptions, LayerTensor, SmoothGroup } from "./architecture.ts";

/** The architecture of a decoder whose layers are {@link decoderLayer}'s: llama, mistral and relatives. */
export function decoder(config: DecoderConfig): Architecture {
  const names = {
    embedTensor: "model.embed_tokens.weight",
    normTensor: "model.norm.weight",
    headTensor: config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight",
    layerTensors: (layer: number) => layerTensors(config, layer),
  };
  return {
    ...names,
    facts: factsOf(config),
    normEpsilon: config.normEpsilon,
    smoothGroups: (layer) => smoothGroups(config, layer),
    downProjection: (layer) => `model.layers.${layer}.mlp.down_proj.weight`,
    rotary: (length, from) => rotaryTables(config.rope, config.rotarySize, length, from),
    mask: maskOfLayers(config),
    layerGraph: (options) => layerGraph(config, options),
    headGraph: () => buildHeadGraph(config),
    scoreGraph: () => buildScoreGraph(config),
    judgeGraph: () => buildJudgeGraph(config),
    decoderGraph: (weights) => buildDecoderGraph(config, names, weights),
  };
}

function factsOf(config: DecoderConfig): ArchitectureFacts {
  const { name, family, layers, hiddenSize, intermediateSize, heads, keyValueHeads, headSize, vocabulary } =
    config;
  return {
    ...{ name, family, layers, hiddenSize, intermediateSize, heads, keyValueHeads, headSize, vocabulary },
    contextLength: config.contextLength,
    norm: `RMSNorm, ε ${config.normEpsilon}`,
    position: describeRope(config.rope),
    activation: config.activation,
    slidingWindow: config.slidingWindow,
    tiedEmbeddings: config.tiedEmbeddings,
  };
}

/** A layer's tensors in the order of its equations; biases follow their matrix where the config has them. */
function layerTensors(config: DecoderConfig, layer: number): LayerTensor[] {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize } = config;
  const { attentionBias, outputBias, mlpBias } = config;
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  const at = (path: string): string => `model.layers.${layer}.${path}`;
  const linear = (block: string, slot: string, out: number, input: number, bias: boolean): LayerTensor[] => [
    { slot, name: at(`${block}.${slot}.weight`), kind: "linear", shape: [out, input] },
    ...(bias
      ? [{ slot: `${slot}_bias`, name: at(`${block}.${slot}.bias`), kind: "vector" as const, shape: [out] }]
      : []),
  ];
  const norm = (slot: string): LayerTensor => ({
    slot,
    name: at(`${slot}.weight`),
    kind: "vector",
    shape: [hiddenSize],
  });
  return [
    norm("input_layernorm"),
    ...(config.fused
      ? linear("self_attn", "qkv_proj", queries + 2 * keys, hiddenSize, attentionBias)
      : [
          ...linear("self_attn", "q_proj", queries, hiddenSize, attentionBias),
          ...linear("self_attn", "k_proj", keys, hiddenSize, attentionBias),
          ...linear("self_attn", "v_proj", keys, hiddenSize, attentionBias),
        ]),
    ...linear("self_attn", "o_proj", hiddenSize, queries, outputBias),
    norm("post_attention_layernorm"),
    ...(config.fused
      ? linear("mlp", "gate_up_proj", 2 * intermediateSize, hiddenSize, mlpBias)
      : [
          ...linear("mlp", "gate_proj", intermediateSize, hiddenSize, mlpBias),
          ...linear("mlp", "up_proj", intermediateSize, hiddenSize, mlpBias),
        ]),
    ...linear("mlp", "down_proj", hiddenSize, intermediateSize, mlpBias),
  ];
}

function smoothGroups({ fused }: DecoderConfig, layer: number): SmoothGroup[] {
  const weight = (path: string): string => `model.layers.${layer}.${path}.weight`;
  return [
    {
      input: "attention",
      norms: [weight("input_layernorm")],
      linears: (fused ? ["qkv_proj"] : ["q_proj", "k_proj", "v_proj"]).map((slot) =>
        weight(`self_attn.${slot}`),
      ),
    },
    {
      input: "mlp",
      norms: [weight("post_attention_layernorm")],
      linears: (fused ? ["gate_up_proj"] : ["gate_proj", "up_proj"]).map((slot) => weight(`mlp.${slot}`)),
    },
  ];
}

/** Layers share one mask, or two where only some have a window; the last length's are kept, so that a pass makes each once. */
function maskOfLayers(config: DecoderConfig): Architecture["mask"] {
  const kept = new Map<number | null, { length: number; from: number; mask: Float32Array }>();
  return (layer, length, from = 0) => {
    const window = windowOf(config, layer);
    const found = kept.get(window);
    if (found?.length === length && found.from === from) return found.mask;
    const mask = causalMask(length, window, from);
    kept.set(window, { length, from, mask });
    return mask;
  };
}

function layerGraph(config: DecoderConfig, options: LayerGraphOptions): Uint8Array {
  const { hiddenSize, intermediateSize, rotarySize } = config;
  const g = new Graph("layer");
  const hidden = g.input("hidden", ["batch", "sequence", hiddenSize]);
  const perWindow = options.branching ? ["batch", 1] : [];
  const cos = g.input("cos", [...perWindow, "sequence", rotarySize / 2]);
  const sin = g.input("sin", [...perWindow, "sequence", rotarySize / 2]);
  const mask = g.input("mask", [...perWindow, "sequence", options.cache === "append" ? "total" : "sequence"]);
  const tensors = layerTensors(config, 0);
  const weights = new Map(tensors.map(({ slot, shape }) => [slot, g.input(slot, shape)]));
  /** What goes into each linear, by slot. */
  const seen = new Map<string, Value>();

  const x = g.reshape(hidden, [-1, hiddenSize]);
  const [batch, sequence] = [g.size(hidden, 0), g.size(hidden, 1)];
  const cacheShape = (tokens: string) => ["batch", config.keyValueHeads, tokens, config.headSize];
  const past = options.cache === "append" && {
    keys: g.input("past_keys", cacheShape("past")),
    values: g.input("past_values", cacheShape("past")),
  };
  const input = { x, batch, sequence, cos, sin, mask, ...(past && { past }) };
  const style = {
    queryBlocks: options.queryBlocks,
    inputs: linearInputs(g, options.activations, batch),
  };
  const { y, present, attentionInput, mlpInput, downInput, downOutput } = decoderLayer(
    g,
    config,
    bySlot(g, weights, seen),
    input,
    style,
  );

  const output = (name: string, rows: Value, width: number): void =>
    g.output(name, g.reshape(rows, [batch, sequence, width]), ["batch", "sequence", width]);
  if (options.taps) {
    output("down_input", downInput, intermediateSize);
    output("down_output", downOutput, hiddenSize);
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
