import type { Graph, Value } from "./graph.ts";

/** x / √(mean(x²) + ε) ⊙ weight over the last axis [arXiv:1910.07467, eq. 4]. */
export function rmsNorm(g: Graph, x: Value, weight: Value, epsilon: number): Value {
  return g.scope("rms_norm", () => {
    const meanSquare = g.op("ReduceMean", [g.op("Pow", [x, g.float(2)]), g.ints([-1])], { keepdims: 1 });
    const root = g.op("Sqrt", [g.add(meanSquare, g.float(epsilon))]);
    return g.multiply(g.op("Div", [x, root]), weight);
  });
}

/**
 * Rotates channel i with channel i + size/2 by the position's angle [arXiv:2104.09864, eq. 34, in the half-split order
 * of Hugging Face checkpoints]. x: (batch, heads, sequence, size); cos, sin: (sequence, rotaryDim / 2), or one of each a
 * window: (batch, 1, sequence, rotaryDim / 2).
 * @param rotaryDim how many channels are: the first ones; the others stay as they are
 */
export function rotate(
  g: Graph,
  x: Value,
  { cos, sin }: Readonly<Record<"cos" | "sin", Value>>,
  { size, rotaryDim }: { readonly size: number; readonly rotaryDim: number },
): Value {
  return g.scope("rope", () => {
    const [first, rest] = rotaryDim === size ? [x] : g.split(x, [rotaryDim, size - rotaryDim], -1);
    const [a, b] = g.halves(first, -1);
    const parts = [
      g.subtract(g.multiply(a, cos), g.multiply(b, sin)),
      g.add(g.multiply(b, cos), g.multiply(a, sin)),
    ];
    return g.concat(rest ? [...parts, rest] : parts, -1);
  });
}

export interface AttentionShape {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Keys that a query sees, itself included; null = all before it. */
  readonly window: number | null;
  /** Blocks that the queries are cut into, so that scores of one block at a time are in memory. */
  readonly queryBlocks: number;
}

/** What the inputs of attention's two products go through. */
export interface AttentionInputs {
  heads(x: Value): Value;
  probabilities(x: Value): Value;
}

/**
 * softmax(q·kᵀ/√size + mask)·v with grouped queries [arXiv:2305.13245]: `heads / keyValueHeads` neighbouring query heads
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
  const scaled = g.multiply(inputs.heads(q), g.float(1 / Math.sqrt(shape.headSize)));
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
  const scores = g.reshape(g.matMul(grouped, keys), [0, heads, -1, keyCount]);
  const weights = inputs.probabilities(g.softmax(g.add(scores, mask), -1));
  const attentionOutput = g.matMul(g.reshape(weights, [0, keyValueHeads, -1, keyCount]), v);
  return g.reshape(attentionOutput, [0, heads, -1, headSize]);
}
