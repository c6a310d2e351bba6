import { IDENTITY, type LinearInputs } from "../inputs/quantizedInputs.ts";
import { ACTIVATIONS } from "../graph/activationFunctions.ts";
import { attention, rmsNorm, rotate } from "../graph/layerParts.ts";
import type { DecoderConfig } from "./decoderConfig.ts";
import type { Graph, Value } from "../graph/graph.ts";

/** A layer's weights as its equations use them, by slot. */
export interface LayerOperands {
  /** A norm's weight. */
  readonly weight: (slot: string) => Value;
  /** x·Wᵀ, with the bias where the layer has one. x: (rows, in). */
  readonly linear: (slot: string, x: Value) => Value;
}

/** Keys and values of one layer: (batch, keyValueHeads, tokens, headSize). */
export interface KeysAndValues {
  readonly keys: Value;
  readonly values: Value;
}

export interface LayerInput {
  /** Rows of all windows below one another: (batch · sequence, hidden). */
  readonly x: Value;
  /** Sizes, as 1-element int64 tensors. */
  readonly batch: Value;
  readonly sequence: Value;
  /** Of each token's angles, to be multiplied with (batch, heads, sequence, rotarySize / 2). */
  readonly cos: Value;
  readonly sin: Value;
  /** Additive, to be added to (batch, heads, sequence, keys). */
  readonly mask: Value;
  /** Of the tokens before these, where they were computed before. */
  readonly past?: KeysAndValues;
}

export interface LayerStyle {
  /** Blocks that attention cuts its queries into; only without a past. Default 1. */
  readonly queryBlocks?: number | undefined;
  /** What the inputs of linears and of attention's products go through. Default: nothing. */
  readonly inputs?: LinearInputs;
}

export interface LayerResult {
  /** (batch · sequence, hidden) */
  readonly y: Value;
  /** Of all tokens so far; keys are rotated. */
  readonly present: KeysAndValues;
  /** What goes into q, k and v, and into gate and up, as rows; like `downInput` before it is quantized. */
  readonly attentionInput: Value;
  readonly mlpInput: Value;
  /** What goes into `down_proj` and what comes out, as rows. */
  readonly downInput: Value;
  readonly downOutput: Value;
}

/**
 * One layer of a pre-norm decoder with rotary grouped-query attention and a gated MLP:
 *
 *     h = x + Attention(RMSNorm(x));  y = h + W_down(act(W_gate·u) ⊙ W_up·u), u = RMSNorm(h)     [arXiv:2302.13971]
 */
export function decoderLayer(
  g: Graph,
  config: DecoderConfig,
  { weight, linear }: LayerOperands,
  { x, batch, sequence, cos, sin, mask, past }: LayerInput,
  { queryBlocks = 1, inputs = IDENTITY }: LayerStyle = {},
): LayerResult {
  const { heads, keyValueHeads, headSize, normEpsilon } = config;

  const { h, present, attentionInput } = g.scope("attention", () => {
    const attentionInput = rmsNorm(g, x, weight("input_layernorm"), normEpsilon);
    const u = inputs.residual(attentionInput);
    const projected = config.fused
      ? g.split(
          linear("qkv_proj", u),
          [heads, keyValueHeads, keyValueHeads].map((n) => n * headSize),
          -1,
        )
      : ["q_proj", "k_proj", "v_proj"].map((slot) => linear(slot, u));
    const [queries, ownKeys, v] = projected.map((rows, i) =>
      g.transpose(
        g.reshape(rows, [batch, sequence, i === 0 ? heads : keyValueHeads, headSize]),
        [0, 2, 1, 3],
      ),
    );
    const rotary = { size: headSize, rotaryDim: config.rotarySize };
    const q = rotate(g, queries, { cos, sin }, rotary);
    const k = rotate(g, ownKeys, { cos, sin }, rotary);
    const keys = past ? g.concat([past.keys, k], 2) : k;
    const values = past ? g.concat([past.values, v], 2) : v;
    // the layers of a graph differ by their masks alone, so keys are left out only where no layer needs them
    const window = config.fullLayers.size > 0 ? null : config.slidingWindow;
    const shape = { ...config, window, queryBlocks };
    const attentionOutput = attention(g, { q, k: keys, v: values, mask }, shape, inputs);
    const rows = g.reshape(g.transpose(attentionOutput, [0, 2, 1, 3]), [-1, heads * headSize]);
    return {
      h: g.add(x, linear("o_proj", inputs.attentionOutput(rows))),
      present: { keys, values },
      attentionInput,
    };
  });

  return g.scope("mlp", () => {
    const mlpInput = rmsNorm(g, h, weight("post_attention_layernorm"), normEpsilon);
    const u = inputs.residual(mlpInput);
    const [gate, up] = config.fused
      ? g.halves(linear("gate_up_proj", u), -1)
      : [linear("gate_proj", u), linear("up_proj", u)];
    const downInput = g.multiply(ACTIVATIONS[config.activation](g, gate), up);
    const downOutput = linear("down_proj", inputs.down(downInput));
    return { y: g.add(h, downOutput), present, attentionInput, mlpInput, downInput, downOutput };
  });
}
