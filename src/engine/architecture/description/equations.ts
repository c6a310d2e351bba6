import { requireConfig } from "./commonFields.ts";
import type {
  Attention,
  Block,
  Experts,
  Layer,
  Linear,
  Mlp,
  Norm,
  Router,
  StackedExperts,
} from "./description.ts";

/** RMSNorm with a weight. */
export function rms(path: string, epsilon: number, gain: Norm["gain"] = "w"): Norm {
  return { path, kind: "rms", gain, bias: false, epsilon };
}

/** LayerNorm with weight and bias. */
export function layerNorm(path: string, epsilon: number): Norm {
  return { path, kind: "layer", gain: "w", bias: true, epsilon };
}

/** LayerNorm without weight and bias. */
export function bareLayerNorm(path: string, epsilon: number): Norm {
  return { path, kind: "layer", gain: "none", bias: false, epsilon };
}

/** @param path its module below the layer; the slot is the last part of it unless another is given */
export function linear(path: string, out: number, input: number, bias = false, slot?: string): Linear {
  return { slot: slot ?? path.slice(path.lastIndexOf(".") + 1), path, out, in: input, bias };
}

/** A block whose sum is added as it is. */
export function block<Body>(
  before: Norm | null,
  body: Body,
  after: Norm | null = null,
  residual = 1,
): Block<Body> {
  return { before, body, after, residual };
}

interface HeadSizes {
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
}

/** q, k, v and o as matrices of their own below `self_attn`. */
export function apart(
  { hiddenSize, heads, keyValueHeads, headSize }: HeadSizes,
  biases: { readonly input: boolean; readonly output: boolean } = { input: false, output: false },
) {
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  return {
    projections: {
      kind: "apart",
      q: linear("self_attn.q_proj", queries, hiddenSize, biases.input),
      k: linear("self_attn.k_proj", keys, hiddenSize, biases.input),
      v: linear("self_attn.v_proj", keys, hiddenSize, biases.input),
    },
    output: linear("self_attn.o_proj", hiddenSize, queries, biases.output),
  } as const;
}

/** q, k and v in one matrix below `path`. */
export function together(
  { hiddenSize, heads, keyValueHeads, headSize }: HeadSizes,
  order: "blocks" | "groups",
  qkv: { readonly path: string; readonly bias: boolean },
  output: { readonly path: string; readonly bias: boolean },
): Pick<Attention, "projections" | "output"> {
  const width = (heads + 2 * keyValueHeads) * headSize;
  return {
    projections: { kind: order, qkv: linear(qkv.path, width, hiddenSize, qkv.bias, "qkv_proj") },
    output: linear(output.path, hiddenSize, heads * headSize, output.bias, "o_proj"),
  };
}

/** Attention without any of the things that only some families have. */
export function plainAttention(sizes: HeadSizes): Omit<Attention, "projections" | "output" | "rotary"> {
  const { heads, keyValueHeads, headSize } = sizes;
  return {
    ...{
      heads,
      keyValueHeads,
      headSize,
      clip: null,
      queryKeyNorm: null,
      valueNorm: null,
      queryTemperature: null,
    },
    ...{ scale: 1 / Math.sqrt(headSize), softcap: null, window: null, sinks: null },
  };
}

/** Norms of queries and keys below `self_attn`. @param norm makes one of its path */
export function queryKeyNorms(
  over: "head" | "width",
  norm: (path: string) => Norm,
): Attention["queryKeyNorm"] {
  return { q: norm("self_attn.q_norm"), k: norm("self_attn.k_norm"), over };
}

/** gate, up and down as matrices of their own below `mlp`. */
export function gated(hiddenSize: number, width: number, bias = false) {
  return {
    projections: {
      kind: "gated",
      gate: linear("mlp.gate_proj", width, hiddenSize, bias),
      up: linear("mlp.up_proj", width, hiddenSize, bias),
    },
    down: linear("mlp.down_proj", hiddenSize, width, bias),
    ...{ width, experts: null, clamped: null },
  } as const;
}

/** gate and up in one matrix below `mlp`. */
export function gatedFused(hiddenSize: number, width: number, bias = false) {
  return {
    projections: { kind: "gated-fused", gateUp: linear("mlp.gate_up_proj", 2 * width, hiddenSize, bias) },
    down: linear("mlp.down_proj", hiddenSize, width, bias),
    ...{ width, experts: null, clamped: null },
  } as const;
}

/** An MLP of two matrices. */
export function plainMlp(
  hiddenSize: number,
  width: number,
  paths: { readonly up: string; readonly down: string },
  bias: boolean,
) {
  return {
    projections: { kind: "plain", up: linear(paths.up, width, hiddenSize, bias, "up_proj") },
    down: linear(paths.down, hiddenSize, width, bias, "down_proj"),
    ...{ width, experts: null, clamped: null },
  } as const;
}

/** Experts of three matrices each. @param paths of the router and of expert `*`'s matrices */
export function gatedExperts(
  hiddenSize: number,
  width: number,
  paths: Readonly<Record<"router" | "gate" | "up" | "down", string>>,
  { count, perToken, normalized, bias = false, ...form }: ExpertsForm,
): Pick<Mlp, "projections" | "down" | "width" | "experts" | "clamped"> {
  requireConfig(perToken <= count, `a token is to go through ${perToken} experts, and a layer has ${count}`);
  return {
    projections: {
      kind: "gated",
      gate: linear(paths.gate, width, hiddenSize, bias, "gate_proj"),
      up: linear(paths.up, width, hiddenSize, bias, "up_proj"),
    },
    down: linear(paths.down, hiddenSize, width, bias, "down_proj"),
    ...{ width, clamped: form.clamped ?? null },
    experts: {
      count,
      router: { gate: linear(paths.router, count, hiddenSize, bias, "router"), perToken, normalized },
      stacked: {
        ...{ gateUp: "mlp.experts.gate_up_proj", down: "mlp.experts.down_proj", by: "rows" },
        ...{ router: paths.router, only: false },
        ...form.stacked,
      },
    },
  };
}

interface ExpertsForm extends Pick<Experts, "count">, Omit<Router, "gate"> {
  /** Of the router and of every matrix. */
  readonly bias?: boolean;
  readonly clamped?: Mlp["clamped"];
  /** Where it is not as most families have it. */
  readonly stacked?: Partial<StackedExperts>;
}

/**
 * Layers of a few kinds; each kind is made once.
 * @param kindOf the kind of a layer, by its number
 */
export function layersOf<Kind extends string>(
  count: number,
  kindOf: (layer: number) => Kind,
  make: (kind: Kind) => Layer,
): Layer[] {
  const made = new Map<Kind, Layer>();
  return Array.from({ length: count }, (_, layer) => {
    const kind = kindOf(layer);
    const found = made.get(kind) ?? make(kind);
    made.set(kind, found);
    return found;
  });
}
