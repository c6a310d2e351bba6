import type { Graph, Value } from "../graph/graph.ts";
import { rowMedian } from "./median.ts";

/** A super activation is at least so many times its tensor's median |x|. */
export const SUPER_RATIO = 8;

/** Element types as ONNX numbers them. */
const INT64 = 7;
const BOOL = 9;

/** Rows of tokens, and what a unit of them is. */
export interface Units {
  /** Windows in the tensor, a 1-element int64 tensor. */
  readonly batch: Value;
  readonly per: "token" | "tensor";
}

/** Tokens side by side that share one scale: (units, values). x: (batch · sequence, width). */
export function unitsOf(g: Graph, x: Value, { batch, per }: Units): Value {
  return per === "token" ? x : g.reshape(x, [batch, -1]);
}

/**
 * Â = RESTORE(quantized(REPLACE(A))) [arXiv:2411.07191, section 4.1]: super activations are replaced by the median of
 * their unit, the units are quantized, and the super activations are put back exactly.
 * x: (batch · sequence, width), without padding. channels: (k) int64, each once: where super activations may lie.
 */
export function keepSuperActivations(
  g: Graph,
  x: Value,
  channels: Value,
  units: Units,
  quantize: (x: Value) => Value,
): Value {
  return g.scope("super_activation", () => {
    const candidates = g.op("Gather", [x, channels], { axis: 1 });
    const found = findSuper(g, x, candidates, channels, units);
    const places = g.op("Expand", [channels, g.op("Shape", [candidates])]);
    const put = (into: Value, values: Value): Value =>
      g.op("ScatterElements", [into, places, values], { axis: 1 });
    const replaced = quantize(put(x, replace(g, x, candidates, found, channels, units)));
    const rest = g.op("Gather", [replaced, channels], { axis: 1 });
    return put(replaced, g.op("Where", [found, candidates, rest]));
  });
}

/** Which candidates are at or above SUPER_RATIO × their window's median |x|: (batch · sequence, k) bool. */
function findSuper(g: Graph, x: Value, candidates: Value, channels: Value, { batch }: Units): Value {
  const perWindow = (values: Value): Value => g.op("Abs", [g.reshape(values, [batch, -1])]);
  const threshold = g.multiply(rowMedian(g, perWindow(x)), g.float(SUPER_RATIO));
  const found = g.op("GreaterOrEqual", [perWindow(candidates), threshold]);
  return g.reshape(found, [-1, g.size(channels, 0)]);
}

/**
 * The candidates with the median of their unit in place of super activations. Only units that hold one have theirs computed,
 * and the first, since selecting from no rows at all ends the process (onnxruntime 1.30).
 */
function replace(g: Graph, x: Value, candidates: Value, found: Value, channels: Value, units: Units): Value {
  const rows = unitsOf(g, x, units);
  const foundRows = unitsOf(g, found, units);
  const holds = g.op("ReduceMax", [g.op("Cast", [foundRows], { to: INT64 }), g.ints([1])], { keepdims: 0 });
  const others = g.slice(holds, g.ints([1]), g.size(holds, 0), 0);
  const some = g.op("Cast", [g.concat([g.ints([1]), others], 0)], { to: BOOL });
  const medians = rowMedian(g, g.op("Compress", [rows, some], { axis: 0 }));
  const none = g.op("Expand", [g.float(0), g.concat([g.size(rows, 0), g.ints([1])], 0)]);
  const standIns = g.op("ScatterND", [none, g.transpose(g.op("NonZero", [some]), [1, 0]), medians]);
  const mixed = g.op("Where", [foundRows, standIns, unitsOf(g, candidates, units)]);
  return g.reshape(mixed, [-1, g.size(channels, 0)]);
}
