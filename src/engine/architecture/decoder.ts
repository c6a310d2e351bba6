import type { ArchitectureFacts } from "#shared/model.ts";
import { ACTIVATIONS } from "./activations.ts";
import { attention, rmsNorm, rotate } from "./blocks.ts";
import type { DecoderConfig } from "./decoderConfig.ts";
import { Graph, type Value } from "./graph.ts";
import { buildHeadGraph, buildJudgeGraph, buildScoreGraph } from "./heads.ts";
import { rotaryTables } from "./rope.ts";
import { describeRope } from "./ropeConfig.ts";
import type { Architecture, LayerGraphOptions, LayerTensor } from "./types.ts";

/** What a masked score gets: far below any score, and far enough from f32's end that adding a score cannot overflow. */
const MASKED = -1e30;

/**
 * The architecture of a pre-norm decoder with rotary grouped-query attention and a gated MLP: llama, mistral and relatives.
 *
 *     h = x + Attention(RMSNorm(x));  y = h + W_down(act(W_gate·u) ⊙ W_up·u), u = RMSNorm(h)     [arXiv:2302.13971]
 */
export function decoder(config: DecoderConfig): Architecture {
  return {
    facts: factsOf(config),
    normEpsilon: config.normEpsilon,
    embedTensor: "model.embed_tokens.weight",
    normTensor: "model.norm.weight",
    headTensor: config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight",
    layerTensors: (layer) => layerTensors(config, layer),
    downProjection: (layer) => `model.layers.${layer}.mlp.down_proj.weight`,
    rotary: (length) => rotaryTables(config.rope, config.headSize, length),
    mask: maskOfEveryLayer(config.slidingWindow),
    layerGraph: (options) => layerGraph(config, options),
    headGraph: () => buildHeadGraph(config),
    scoreGraph: () => buildScoreGraph(config),
    judgeGraph: () => buildJudgeGraph(config),
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
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize, attentionBias, mlpBias } = config;
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
    ...linear("self_attn", "q_proj", heads * headSize, hiddenSize, attentionBias),
    ...linear("self_attn", "k_proj", keyValueHeads * headSize, hiddenSize, attentionBias),
    ...linear("self_attn", "v_proj", keyValueHeads * headSize, hiddenSize, attentionBias),
    ...linear("self_attn", "o_proj", hiddenSize, heads * headSize, attentionBias),
    norm("post_attention_layernorm"),
    ...linear("mlp", "gate_proj", intermediateSize, hiddenSize, mlpBias),
    ...linear("mlp", "up_proj", intermediateSize, hiddenSize, mlpBias),
    ...linear("mlp", "down_proj", hiddenSize, intermediateSize, mlpBias),
  ];
}

/** All layers share one mask; the last length's is kept, so that a pass makes it once. */
function maskOfEveryLayer(window: number | null): Architecture["mask"] {
  let kept: { length: number; mask: Float32Array } | null = null;
  return (_layer, length) => {
    if (kept?.length !== length) kept = { length, mask: causalMask(length, window) };
    return kept.mask;
  };
}

/** 0 where key ≤ query, and within the window where there is one; MASKED elsewhere. */
function causalMask(length: number, window: number | null): Float32Array {
  const mask = new Float32Array(length * length).fill(MASKED);
  for (let query = 0; query < length; query++) {
    const first = window === null ? 0 : Math.max(0, query - window + 1);
    mask.fill(0, query * length + first, query * length + query + 1);
  }
  return mask;
}

function layerGraph(config: DecoderConfig, options: LayerGraphOptions): Uint8Array {
  const { hiddenSize, intermediateSize, headSize, normEpsilon } = config;
  const g = new Graph("layer");
  const hidden = g.input("hidden", ["batch", "sequence", hiddenSize]);
  const cos = g.input("cos", ["sequence", headSize / 2]);
  const sin = g.input("sin", ["sequence", headSize / 2]);
  const mask = g.input("mask", ["sequence", "sequence"]);
  const weights = new Map(layerTensors(config, 0).map(({ slot, shape }) => [slot, g.input(slot, shape)]));
  const { weight, linear } = bySlot(g, weights);

  /** Rows of all windows below one another: (batch · sequence, hidden). */
  const x = g.reshape(hidden, [-1, hiddenSize]);
  const [batch, sequence] = [g.size(hidden, 0), g.size(hidden, 1)];
  const perWindow = (rows: Value, columns: number): Value => g.reshape(rows, [batch, sequence, columns]);

  const h = g.scope("attention", () => {
    const u = rmsNorm(g, x, weight("input_layernorm"), normEpsilon);
    const heads = (slot: string, count: number): Value =>
      g.transpose(g.reshape(linear(slot, u), [batch, sequence, count, headSize]), [0, 2, 1, 3]);
    const q = rotate(g, heads("q_proj", config.heads), cos, sin);
    const k = rotate(g, heads("k_proj", config.keyValueHeads), cos, sin);
    const v = heads("v_proj", config.keyValueHeads);
    const mixed = attention(g, q, k, v, mask, {
      ...config,
      window: config.slidingWindow,
      queryBlocks: options.queryBlocks ?? 1,
    });
    return g.add(
      x,
      linear("o_proj", g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [-1, config.heads * headSize])),
    );
  });

  const y = g.scope("mlp", () => {
    const u = rmsNorm(g, h, weight("post_attention_layernorm"), normEpsilon);
    const downInput = g.multiply(
      ACTIVATIONS[config.activation](g, linear("gate_proj", u)),
      linear("up_proj", u),
    );
    const downOutput = linear("down_proj", downInput);
    if (options.taps) {
      g.output("down_input", perWindow(downInput, intermediateSize), ["batch", "sequence", intermediateSize]);
      g.output("down_output", perWindow(downOutput, hiddenSize), ["batch", "sequence", hiddenSize]);
    }
    return g.add(h, downOutput);
  });

  g.output("hidden_out", perWindow(y, hiddenSize), ["batch", "sequence", hiddenSize]);
  return g.encode();
}

/** Looks weights up by slot; `linear` adds the bias where the layer has one. */
function bySlot(g: Graph, weights: ReadonlyMap<string, Value>) {
  const weight = (slot: string): Value => {
    const value = weights.get(slot);
    if (!value) throw new Error(`the layer has no tensor in slot ${slot}`);
    return value;
  };
  const linear = (slot: string, x: Value): Value =>
    g.scope(slot, () => g.linear(x, weight(slot), weights.get(`${slot}_bias`)));
  return { weight, linear };
}
