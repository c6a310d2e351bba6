import type { Graph, Value } from "../graph/graph.ts";

/** The smallest normal f32: stands in for the scale of a unit of zeros, which stay zeros. */
const SMALLEST_SCALE = 2 ** -126;

/** Levels on either side of zero: 2^(bits − 1) − 1, so 127 of 8 bits. */
export function levelsOf(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

/**
 * x̂ = round(x / s)·s, half to even, in f32, with s = max|x| / (2^(bits − 1) − 1) over `axes`: symmetric integers and back
 * [arXiv:2211.10438, eq. 1]. No clamp is needed: no |x| is past the maximum.
 */
export function fakeQuantize(g: Graph, x: Value, bits: number, axes: readonly number[]): Value {
  const largest = g.op("ReduceMax", [g.op("Abs", [x]), g.ints(axes)], { keepdims: 1 });
  const scale = g.op("Div", [largest, g.float(levelsOf(bits))]);
  return roundTo(g, x, g.op("Max", [scale, g.float(SMALLEST_SCALE)]));
}

/** The nearest multiple of the scale. */
export function roundTo(g: Graph, x: Value, scale: Value): Value {
  return g.multiply(g.op("Round", [g.op("Div", [x, scale])]), scale);
}
