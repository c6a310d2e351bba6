import type { Graph, Value } from "../graph/graph.ts";

/** What a masked score gets: far below any score, and far enough from f32's end that adding a score cannot overflow. */
const MASKED = -1e30;

/**
 * (length − from, length): 0 where key ≤ query, and within the window where there is one; MASKED elsewhere.
 * @param from first query; keys begin at 0
 */
export function causalMask(length: number, window: number | null, from = 0): Float32Array {
  const mask = new Float32Array((length - from) * length).fill(MASKED);
  for (let query = from; query < length; query++) {
    const row = (query - from) * length;
    const first = window === null ? 0 : Math.max(0, query - window + 1);
    mask.fill(0, row + first, row + query + 1);
  }
  return mask;
}

/**
 * Masks of windows of which some branch, (windows, 1, length, length): a query sees itself and the tokens that lead to it.
 * Padding sees itself.
 * @param parents of each window, the index of the token before each; null where that is the one to its left
 * @param causal mask of those that do not branch, (length, length)
 */
export function branchMask(
  parents: readonly (Int32Array | null)[],
  length: number,
  causal: Float32Array,
): Float32Array {
  const mask = new Float32Array(parents.length * length * length).fill(MASKED);
  parents.forEach((before, w) => {
    const own = mask.subarray(w * length * length, (w + 1) * length * length);
    if (before === null) own.set(causal);
    else
      for (let query = 0; query < length; query++)
        for (let key = query; key >= 0; key = before[key] ?? -1) own[query * length + key] = 0;
  });
  return mask;
}

/**
 * The same inside a graph, for queries that follow a past and windows that are padded: (batch, 1, sequence, total).
 * @param attentionMask (batch, total) int64, 0 for keys that nobody sees
 * @param sequence number of queries, the last of the `total` tokens; a 1-element int64 tensor
 */
export function causalMaskOf(g: Graph, attentionMask: Value, sequence: Value, window: number | null): Value {
  return g.scope("mask", () => {
    const total = g.size(attentionMask, 1);
    const scalar = (size: Value): Value => g.op("Squeeze", [size]);
    const [zero, one] = [g.int(0), g.int(1)];
    const keys = g.op("Range", [zero, scalar(total), one]);
    const queries = g.op("Range", [scalar(g.subtract(total, sequence)), scalar(total), one]);
    const [row, column] = [g.reshape(queries, [1, 1, -1, 1]), g.reshape(keys, [1, 1, 1, -1])];
    const visible = [
      g.op("LessOrEqual", [column, row]),
      g.op("Greater", [g.reshape(attentionMask, [0, 1, 1, -1]), zero]),
      ...(window === null ? [] : [g.op("Greater", [column, g.subtract(row, g.int(window))])]),
    ];
    return g.op("Where", [visible.reduce((a, b) => g.op("And", [a, b])), g.float(0), g.float(MASKED)]);
  });
}
