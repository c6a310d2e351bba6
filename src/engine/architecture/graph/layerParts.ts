import type { Graph, Value } from "./graph.ts";

/** How a norm computes; by name, what its weight and bias are looked up under. */
interface NormEquation {
  readonly path: string;
  readonly kind: "rms" | "layer";
  readonly gain: "w" | "1+w" | "none";
  readonly bias: boolean;
  readonly epsilon: number;
}

/** A norm over the last axis [RMSNorm: arXiv:1910.07467, eq. 4; LayerNorm: arXiv:1607.06450]. @param weight its weight under `path`, its bias under `path_bias` */
export function normalize(g: Graph, x: Value, norm: NormEquation, weight: (slot: string) => Value): Value {
  return g.scope(norm.kind === "rms" ? "rms_norm" : "layer_norm", () => {
    const centred = norm.kind === "rms" ? x : g.subtract(x, lastMean(g, x));
    const meanSquare = lastMean(g, g.op("Pow", [centred, g.float(2)]));
    const root = g.op("Sqrt", [g.add(meanSquare, g.float(norm.epsilon))]);
    const unit = g.op("Div", [centred, root]);
    if (norm.gain === "none") return unit;
    const stored = weight(norm.path);
    const scaled = g.multiply(unit, norm.gain === "w" ? stored : g.add(stored, g.float(1)));
    return norm.bias ? g.add(scaled, weight(`${norm.path}_bias`)) : scaled;
  });
}

function lastMean(g: Graph, x: Value): Value {
  return g.op("ReduceMean", [x, g.ints([-1])], { keepdims: 1 });
}

/**
 * Rotates pairs of channels by the position's angle [arXiv:2104.09864, eq. 34]. x: (batch, heads, sequence, headSize); cos, sin:
 * (sequence, size / 2), or one of each a window: (batch, 1, sequence, size / 2).
 * @param rotary `size`: how many channels are turned, the first ones; `pairs`: i with i + size/2, the order of most Hugging Face
 *   checkpoints, or 2i with 2i + 1
 */
export function rotate(
  g: Graph,
  x: Value,
  { cos, sin }: Readonly<Record<"cos" | "sin", Value>>,
  rotary: { readonly headSize: number; readonly size: number; readonly pairs: "halves" | "neighbours" },
): Value {
  const { headSize, size, pairs } = rotary;
  return g.scope("rope", () => {
    const [first, rest] = size === headSize ? [x] : g.split(x, [size, headSize - size], -1);
    const paired = pairs === "halves" ? first : g.reshape(first, [0, 0, -1, size / 2, 2]);
    const [a, b] =
      pairs === "halves"
        ? g.halves(paired, -1)
        : g.halves(paired, -1).map((half) => g.reshape(half, [0, 0, -1, size / 2]));
    const parts = [
      g.subtract(g.multiply(a, cos), g.multiply(b, sin)),
      g.add(g.multiply(b, cos), g.multiply(a, sin)),
    ];
    if (pairs === "halves") return g.concat(rest ? [...parts, rest] : parts, -1);
    const columns = parts.map((part) => g.reshape(part, [0, 0, -1, size / 2, 1]));
    const turned = g.reshape(g.concat(columns, -1), [0, 0, -1, size]);
    return rest ? g.concat([turned, rest], -1) : turned;
  });
}

export interface AttentionShape {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** What q·k is multiplied with. */
  readonly scale: number;
  /** Scores become cap·tanh(scores / cap) before the mask; null = they stay. */
  readonly softcap: number | null;
  /** Keys that a query sees, itself included; null = all before it. */
  readonly window: number | null;
  /** Blocks that the queries are cut into, so that scores of one block at a time are in memory. */
  readonly queryBlocks: number;
  /** (heads): a score of each head that no key has and that the softmax is taken with; null = none. */
  readonly sinks: Value | null;
}

/** What the inputs of attention's two products go through. */
export interface AttentionInputs {
  heads(x: Value): Value;
  probabilities(x: Value): Value;
}

/**
 * softmax(scale·q·kᵀ + mask)·v with grouped queries [arXiv:2305.13245]: `heads / keyValueHeads` neighbouring query heads
 * share a key head, so one matrix product per key head serves the whole group.
 * q: (batch, heads, sequence, size); k, v: (batch, keyValueHeads, sequence, size); mask: (sequence, sequence).
 * The mask may be another for each window: (batch, 1, sequence, keys). In one block there may be more keys than queries.
 * Gives (batch, heads, sequence, size).
 *
 * The queries are cut into blocks. A block needs only the keys up to its own end (and, with a sliding window, from
 * `window − 1` before its begin), which bounds the memory of the scores and saves up to half of the products:
 *
 *     keys →        0   1   2   3
 *     queries 0     ■
 *     queries 1     ■   ■
 *     queries 2     ■   ■   ■
 *     queries 3     ■   ■   ■   ■
 */
export function attention(
  g: Graph,
  { q, k, v, mask }: Readonly<Record<"q" | "k" | "v" | "mask", Value>>,
  shape: AttentionShape,
  inputs: AttentionInputs,
): Value {
  const scaled = g.multiply(inputs.heads(q), g.float(shape.scale));
  const keys = g.transpose(inputs.heads(k), [0, 1, 3, 2]);
  const values = inputs.heads(v);
  if (shape.queryBlocks === 1) return attend(g, scaled, keys, values, mask, g.size(k, 2), shape, inputs);
  const length = g.size(q, 2);
  const bound = (i: number): Value =>
    g.op("Div", [g.multiply(length, g.ints([i])), g.ints([shape.queryBlocks])]);
  const blocks = Array.from({ length: shape.queryBlocks }, (_, i) => {
    const [begin, end] = [bound(i), bound(i + 1)];
    const first = firstKey(g, begin, shape.window);
    const rows = g.slice(mask, begin, end, -2);
    return attend(
      g,
      g.slice(scaled, begin, end, 2),
      g.slice(keys, first, end, 3),
      g.slice(values, first, end, 2),
      g.slice(rows, first, end, -1),
      g.subtract(end, first),
      shape,
      inputs,
    );
  });
  return g.concat(blocks, 2);
}

/** First key that any query from `begin` on sees. */
function firstKey(g: Graph, begin: Value, window: number | null): Value {
  if (window === null) return g.ints([0]);
  return g.op("Max", [g.subtract(begin, g.ints([window - 1])), g.ints([0])]);
}

/** One block: q is scaled, `keys` is transposed (batch, keyValueHeads, size, keyCount). */
function attend(
  g: Graph,
  q: Value,
  keys: Value,
  v: Value,
  mask: Value,
  keyCount: Value,
  shape: AttentionShape,
  inputs: AttentionInputs,
): Value {
  const { heads, keyValueHeads, headSize } = shape;
  const grouped = g.reshape(q, [0, keyValueHeads, -1, headSize]);
  const products = g.reshape(g.matMul(grouped, keys), [0, heads, -1, keyCount]);
  const scores = shape.softcap === null ? products : capped(g, products, shape.softcap);
  const weights = inputs.probabilities(shareOfKeys(g, g.add(scores, mask), shape));
  const attentionOutput = g.matMul(g.reshape(weights, [0, keyValueHeads, -1, keyCount]), v);
  return g.reshape(attentionOutput, [0, heads, -1, headSize]);
}

/** softmax(scores), or of softmax([scores, sink]) all but the sink's share. scores: (batch, heads, queries, keys). */
function shareOfKeys(
  g: Graph,
  scores: Value,
  { sinks, heads }: Pick<AttentionShape, "sinks" | "heads">,
): Value {
  if (!sinks) return g.softmax(scores, -1);
  const column = g.concat([g.size(scores, 0), g.ints([heads]), g.size(scores, 2), g.ints([1])], 0);
  const sink = g.op("Expand", [g.reshape(sinks, [1, heads, 1, 1]), column]);
  const shares = g.softmax(g.concat([scores, sink], -1), -1);
  return g.slice(shares, g.ints([0]), g.ints([-1]), -1);
}

/** cap·tanh(x / cap). */
export function capped(g: Graph, x: Value, cap: number): Value {
  return g.multiply(g.op("Tanh", [g.op("Div", [x, g.float(cap)])]), g.float(cap));
}
