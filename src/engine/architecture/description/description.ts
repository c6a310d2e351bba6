import type { ActivationName } from "../graph/activationFunctions.ts";
import type { RopeSettings } from "../rope/rope.ts";

/** x / √(mean(x²) + ε) or (x − mean(x)) / √(var(x) + ε), times a gain, plus a bias where there is one. */
export interface Norm {
  /** Its module in the checkpoint, below the layer, e.g. `input_layernorm`; its slot as well. */
  readonly path: string;
  readonly kind: "rms" | "layer";
  /** What x is multiplied with: the stored weight, 1 + the stored weight, or nothing. */
  readonly gain: "w" | "1+w" | "none";
  readonly bias: boolean;
  readonly epsilon: number;
}

/** One logical matrix (out, in), whatever way the checkpoint stores it. */
export interface Linear {
  /** Name of the graph input, the same for all families where it does the same. */
  readonly slot: string;
  /** Its module in the checkpoint, below the layer, e.g. `self_attn.q_proj`. */
  readonly path: string;
  readonly out: number;
  readonly in: number;
  readonly bias: boolean;
}

/** Rotary embedding of the first `size` channels of each head. */
export interface Rotary {
  readonly settings: RopeSettings;
  /** Channels of each head that are turned; even. */
  readonly size: number;
  /** `halves`: channel i with i + size/2. `neighbours`: channel 2i with 2i + 1. */
  readonly pairs: "halves" | "neighbours";
}

/** Queries times 1 + β·ln(1 + ⌊position / originalContext⌋). */
export interface QueryTemperature {
  readonly beta: number;
  readonly originalContext: number;
}

export interface Attention {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** One matrix each (null = values are what keys are made of), or one for all three: `blocks` = all q, all k, all v; `groups` = per key head its q, then k, then v. */
  readonly projections:
    | { readonly kind: "apart"; readonly q: Linear; readonly k: Linear; readonly v: Linear | null }
    | { readonly kind: "blocks" | "groups"; readonly qkv: Linear };
  readonly output: Linear;
  /** q, k and v are cut to ±clip. */
  readonly clip: number | null;
  /** Norms of queries and keys before they are turned: over each head's channels, or over all heads together. */
  readonly queryKeyNorm: { readonly q: Norm; readonly k: Norm; readonly over: "head" | "width" } | null;
  /** Norm of each head of the values. */
  readonly valueNorm: Norm | null;
  /** Null = positions play no part in this layer. */
  readonly rotary: Rotary | null;
  readonly queryTemperature: QueryTemperature | null;
  /** What q·k is multiplied with. */
  readonly scale: number;
  /** Scores become cap·tanh(scores / cap). */
  readonly softcap: number | null;
  /** Keys that a query sees, itself included; null = all before it. */
  readonly window: number | null;
  /** Tensor below the layer with a score for each head that takes part in the softmax and stands for no key; null = none. */
  readonly sinks: string | null;
}

/** Which of a layer's experts a token goes through, and how much of each. */
export interface Router {
  /** (experts, hidden): what a token's scores are. */
  readonly gate: Linear;
  /** Experts of one token: those of the largest scores. */
  readonly perToken: number;
  /** Of the softmax over all experts the chosen ones' shares, divided by their sum where this is set: the softmax over the chosen ones. */
  readonly normalized: boolean;
}

/** How files have the matrices of all of a layer's experts in two tensors; biases, where there are any, in two more named `…_bias`. */
export interface StackedExperts {
  /** Tensors below the layer. */
  readonly gateUp: string;
  readonly down: string;
  /**
   * `rows`: (experts, 2 · width, hidden), gate's rows before up's, and (experts, hidden, width).
   * `columns`: (experts, hidden, 2 · width), columns of gate and up in turn, and (experts, width, hidden).
   */
  readonly by: "rows" | "columns";
  /** The router's module in such files. */
  readonly router: string;
  /** Whether the family's programs know no other form. */
  readonly only: boolean;
}

/** Σ over a token's experts of share · mlp(x), each expert an MLP of one shape. */
export interface Experts {
  readonly count: number;
  readonly router: Router;
  readonly stacked: StackedExperts;
}

/** g·σ(alpha·g) ⊙ (u + 1), where g = min(gate, limit) and u is up cut to ±limit. */
export interface ClampedGate {
  readonly alpha: number;
  readonly limit: number;
}

export interface Mlp {
  /** act(gate) ⊙ up from two matrices or from one (gate's rows first), or act(up) alone. */
  readonly projections:
    | { readonly kind: "gated"; readonly gate: Linear; readonly up: Linear }
    | { readonly kind: "gated-fused"; readonly gateUp: Linear }
    | { readonly kind: "plain"; readonly up: Linear };
  readonly down: Linear;
  readonly activation: ActivationName;
  /** What stands for act(gate) ⊙ up; null = that itself. */
  readonly clamped: ClampedGate | null;
  /** Width of what goes into `down`. */
  readonly width: number;
  /** Null = one MLP for all tokens. With experts, `*` stands for the expert's number in the matrices' paths. */
  readonly experts: Experts | null;
}

/** residual·after(body(before(x))): what one part of a layer adds. */
export interface Block<Body> {
  readonly before: Norm | null;
  readonly body: Body;
  readonly after: Norm | null;
  /** What the sum is multiplied with before it is added to the residual stream. */
  readonly residual: number;
}

/**
 * One decoder layer: h = x + attention(x), y = h + mlp(h); in parallel, y = x + attention(x) + mlp(x). Where both blocks have the very
 * same norm in front, it is computed once.
 */
export interface Layer {
  readonly attention: Block<Attention>;
  readonly mlp: Block<Mlp>;
  readonly parallel: boolean;
  /** Tensor of one number below the layer that y is multiplied with, where there is one. */
  readonly scalar?: string;
}

/** One decoder-only transformer, every default of its config filled in: all that its equations depend on. */
export interface Decoder {
  /** Class named by the config. */
  readonly name: string;
  readonly family: string;
  readonly hiddenSize: number;
  readonly vocabulary: number;
  readonly contextLength: number;
  /** Layers of one kind are one object. */
  readonly layers: readonly Layer[];
  /** In front of a layer's number in tensors' names: `model.layers`. */
  readonly layersPath: string;
  readonly embedding: {
    readonly tensor: string;
    readonly scale: number;
    /** A row for each position, from row `offset` on. */
    readonly positions: { readonly tensor: string; readonly rows: number; readonly offset: number } | null;
  };
  /** Its path is the whole one. */
  readonly norm: Norm;
  readonly head: {
    /** Of a head that is not tied. */
    readonly tensor: string;
    readonly tied: boolean;
    readonly bias: string | null;
    /** What logits are multiplied with, then cap·tanh(logits / cap). */
    readonly scale: number;
    readonly softcap: number | null;
  };
  /** Whether it has biases that transformers' class of this name leaves out. */
  readonly unannouncedBiases: boolean;
}
