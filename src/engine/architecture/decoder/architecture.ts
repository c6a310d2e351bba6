import type { ArchitectureFacts } from "#shared/model.ts";
import type { InputOptions } from "../inputs/quantizedInputs.ts";
import type { Decoder } from "../description/description.ts";
import type { Graph, Value } from "../graph/graph.ts";

/** One weight of a decoder layer: the graph input it feeds and the tensor that fills it. */
export interface LayerTensor {
  /** Name of the graph input, e.g. `q_proj`. */
  slot: string;
  /** Name in the checkpoint, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  name: string;
  /** `linear` = (out, in) matrix that recipes quantize; `vector` = norm weight or bias; `router` = matrix that chooses experts. */
  kind: "linear" | "vector" | "router";
  shape: readonly number[];
  /** The expert that it is a part of, and its slot in that expert's graph: `experts.3.down_proj` → 3, `down_proj`. */
  expert?: { readonly number: number; readonly slot: string };
}

/** A tensor that is read outside the layers, by what it does there. */
export interface OuterTensor {
  readonly slot: "embedding" | "positions" | "norm" | "norm_bias" | "head" | "head_bias";
  readonly name: string;
  readonly shape: readonly number[];
  /** For people. */
  readonly usedBy: string;
}

/** What a layer's graph is asked to give beside the new hidden states. */
export interface LayerGraphOptions {
  /** Also output `down_input` (tokens × intermediate) and `down_output` (tokens × hidden). */
  taps: boolean;
  /** Blocks that attention cuts its queries into, so that scores of one block at a time are in memory. Default 1. */
  queryBlocks?: number;
  /** Quantize what goes into the linears; windows then hold no padding where a unit or a median spans a window. */
  activations?: InputOptions | undefined;
  /** Also output `attention_maxima` and `mlp_maxima` (hidden): max |x| per channel of the normed inputs, over all tokens. */
  maxima?: boolean;
  /** Whether every window has position tables and a `mask` of its own: (batch, 1, sequence, …). */
  branching?: boolean;
  /** Also output what goes into every linear, as `SLOT_input` (batch, sequence, in). */
  linearInputs?: boolean;
  /**
   * Also output the keys and values of all tokens so far, `present_keys` and `present_values` (batch, keyValueHeads, total, headSize).
   * `append`: they go on after `past_keys` and `past_values`, inputs of the same shape; the mask is then (sequence, total).
   */
  cache?: "begin" | "append";
}

/** What a layer's equations take of positions, row-major (positions, width); only those that they have. */
export type PositionTables = Readonly<{
  /** Of the angles: width = rotary size / 2; attention scaling included. */
  cos?: Float32Array;
  sin?: Float32Array;
  /** What queries are multiplied with: width 1. */
  query_scale?: Float32Array;
}>;

/** Linears that share one normed input: where SmoothQuant moves scales from the input into the weights. */
export interface SmoothGroup {
  readonly input: "attention" | "mlp";
  /** The norm's weight (and bias, where it has one); empty where these linears have no norm of their own with a weight. */
  readonly norms: readonly string[];
  /** Whether the norm multiplies with 1 + its weight. */
  readonly onePlus: boolean;
  /** Weights (out, hidden). */
  readonly linears: readonly string[];
}

/** How the graph of a whole decoder gets at its weights. Whoever writes the graph decides how each is stored. */
export interface DecoderWeights {
  /** A norm's weight or a bias, in f32. */
  vector(g: Graph, name: string): Value;
  /** x·Wᵀ, plus a bias where there is one. x: (rows, in); the matrix of that name: (out, in). */
  linear(g: Graph, name: string, x: Value, bias: Value | null): Value;
  /** Rows of the (vocabulary, hidden) table in f32. ids: (n) int64. */
  rows(g: Graph, name: string, ids: Value): Value;
}

/**
 * A family's equations for one config: which tensors a layer has and the ONNX graphs that compute with them.
 * Weights, cos/sin tables and the attention mask are graph inputs, so that one session serves every layer and variant.
 */
export interface Architecture {
  readonly description: Decoder;
  readonly facts: ArchitectureFacts;
  /** Embedding table (vocabulary, hidden), output head (vocabulary, hidden; the table when tied). */
  readonly embedTensor: string;
  readonly headTensor: string;
  /** Everything that is read outside the layers, these included. */
  readonly outerTensors: readonly OuterTensor[];

  /** The first layer of each kind: layers of one kind have one graph and one set of position tables. */
  readonly kinds: readonly number[];
  /** Index of a layer's kind among {@link kinds}. */
  kindOf(layer: number): number;
  layerTensors(layer: number): readonly LayerTensor[];
  smoothGroups(layer: number): readonly SmoothGroup[];
  /** Tensors that feed the graph of one of a layer's experts; none in a layer without experts. */
  expertTensors(layer: number, expert: number): readonly LayerTensor[];
  /** How many experts a layer has; 0 = one MLP for all tokens. */
  expertsOf(layer: number): number;
  /**
   * Name of the MLP's output projection of a layer, `down_proj` in most families: (hidden, intermediate) = (row, column).
   * @param expert which one's, in a layer that has experts
   */
  downProjection(layer: number, expert?: number): string;
  /** Whether a layer adds down_proj's output to the residual stream as it is: no norm and no factor in between. */
  addsDownOutput(layer: number): boolean;

  /** For positions from … length − 1 of a text of `length`. `from`: 0 unless given. */
  positionTables(layer: number, length: number, from?: number): PositionTables;
  /** Additive mask (length − from, length): 0 where a query (row) sees a key (column), a large negative number elsewhere.
   *  `from`: the first query, 0 unless given. The same array for layers that share a mask; read only. */
  mask(layer: number, length: number, from?: number): Float32Array;

  /**
   * ONNX model of a layer's kind. Inputs: `hidden` (batch, sequence, hidden), the position tables, `mask`, one per slot, and the
   * channels that `activations` declares.
   * Output: `hidden_out` (batch, sequence, hidden), and the taps asked for. Of a layer with experts: everything but them, so `hidden_out`
   * lacks what they add; `experts_input` (batch, sequence, hidden), and of each token `chosen` (batch, sequence, perToken) int64 and
   * what each one counts, `shares`, of the same shape.
   */
  layerGraph(layer: number, options: LayerGraphOptions): Uint8Array;
  /**
   * ONNX model of one expert: `x` (rows, hidden) and its tensors → `down_output` (rows, hidden), and with taps `down_input` (rows,
   * intermediate). What a token gets is the sum of share · residual factor · `down_output` over its experts.
   */
  expertGraph(layer: number, options: Pick<LayerGraphOptions, "taps">): Uint8Array;
  /** ONNX model: `hidden` (rows, hidden), the outer tensors of norm and head by slot → `log_probs` (rows, vocabulary) and `logits`. */
  headGraph(): Uint8Array;
  /**
   * ONNX model that judges without bringing logits to JavaScript: `hidden`, norm and head, `labels` (rows) int32,
   * `reference` (rows, vocabulary) log-probabilities → `nll` (rows), `kl` (rows), `top_agrees` (rows, 0 or 1 as f32).
   */
  judgeGraph(): Uint8Array;
  /** As judgeGraph, without a reference: `hidden`, norm and head, `labels` → `nll` (rows), `top` (rows) int32. */
  scoreGraph(): Uint8Array;

  /**
   * The whole decoder with its weights: `input_ids`, `position_ids` (batch, sequence), `attention_mask` (batch, total),
   * `past_key_values.N.key` and `.value` (batch, keyValueHeads, past, headSize), total = past + sequence → `logits`
   * (batch, sequence, vocabulary), `present.N.key` and `.value` (batch, keyValueHeads, total, headSize). Integers are int64,
   * all else f32. A past of length 0 begins a text.
   */
  decoderGraph(weights: DecoderWeights): Graph;
}
