import type { Graph, Value } from "./graph.ts";

type Activation = (g: Graph, x: Value) => Value;

/** x·σ(x) [arXiv:1606.08415]. */
const silu: Activation = (g, x) => g.multiply(x, g.sigmoid(x));

/** x/2·(1 + erf(x/√2)), exact [arXiv:1606.08415]. */
const gelu: Activation = (g, x) => {
  const erf = g.op("Erf", [g.multiply(x, g.float(Math.SQRT1_2))]);
  return g.multiply(g.multiply(x, g.float(0.5)), g.add(erf, g.float(1)));
};

/** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), the tanh approximation of the same. */
const geluTanh: Activation = (g, x) => {
  const cube = g.multiply(g.multiply(x, x), x);
  const inner = g.add(x, g.multiply(cube, g.float(0.044715)));
  const tanh = g.op("Tanh", [g.multiply(inner, g.float(Math.sqrt(2 / Math.PI)))]);
  return g.multiply(g.multiply(x, g.float(0.5)), g.add(tanh, g.float(1)));
};

const relu: Activation = (g, x) => g.op("Relu", [x]);

/** By the names that configs use for `hidden_act`. */
export const ACTIVATIONS = {
  silu,
  swish: silu,
  gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATIONS;
export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as [ActivationName, ...ActivationName[]];
