import type { Graph, Value } from "../graph/graph.ts";
import { fakeQuantize, levelsOf, roundTo } from "./fakeQuantize.ts";
import { keepSuperActivations, unitsOf, type Units } from "./medianStandIn.ts";
import type { InputQuantization } from "./inputQuantization.ts";

/** What a layer's graph is told about the quantization of its inputs; channels themselves are fed when it runs. */
export interface InputOptions extends Pick<InputQuantization, "bits" | "per" | "matmuls"> {
  /** Declares `residual_channels`, `down_channels`: (k) int64. */
  readonly residualChannels: boolean;
  readonly downChannels: boolean;
}

/** What every linear and attention product of a layer takes its input through. Rows are (batch · sequence, width). */
export interface LinearInputs {
  /** The normed residual, in front of q, k, v and of gate, up. */
  residual(x: Value): Value;
  /** In front of o_proj. */
  attentionOutput(x: Value): Value;
  /** In front of down_proj. */
  down(x: Value): Value;
  /** q, k or v, (batch, heads, sequence, size), as it enters its product. */
  heads(x: Value): Value;
  /** Attention's probabilities, (batch, heads, queries, keys). */
  probabilities(x: Value): Value;
}

const asItIs = (x: Value): Value => x;

/** Nothing is quantized. */
export const IDENTITY: LinearInputs = {
  residual: asItIs,
  attentionOutput: asItIs,
  down: asItIs,
  heads: asItIs,
  probabilities: asItIs,
};

/**
 * The quantizers of one layer's graph; all pass their input through where there are no options. A unit of `per: "token"` is
 * what belongs to one token (of q, k, v and the probabilities: of all heads together), of `per: "tensor"` one window.
 * @param batch windows, a 1-element int64 tensor
 */
export function linearInputs(g: Graph, options: InputOptions | undefined, batch: Value): LinearInputs {
  if (!options) return IDENTITY;
  const { bits, per, matmuls } = options;
  const units: Units = { batch, per };
  const rows = (x: Value): Value => {
    const quantized = fakeQuantize(g, unitsOf(g, x, units), bits, [1]);
    return per === "token" ? quantized : g.op("Reshape", [quantized, g.op("Shape", [x])]);
  };
  const plain = (x: Value): Value => g.scope("quantize", () => rows(x));
  const keeping =
    (channels: Value | null) =>
    (x: Value): Value =>
      channels ? keepSuperActivations(g, x, channels, units, plain) : plain(x);
  const channels = (name: string, declared: boolean): Value | null =>
    declared ? g.input(name, [`${name}_count`], "int64") : null;
  return {
    residual: keeping(channels("residual_channels", options.residualChannels)),
    attentionOutput: plain,
    down: keeping(channels("down_channels", options.downChannels)),
    heads: matmuls
      ? (x) => g.scope("quantize", () => fakeQuantize(g, x, bits, per === "token" ? [1, 3] : [1, 2, 3]))
      : asItIs,
    probabilities: matmuls
      ? (x) => g.scope("quantize", () => quantizeProbabilities(g, x, bits, per))
      : asItIs,
  };
}

/** A window's first token attends to itself alone, so its largest probability is 1, whichever queries are at hand. */
function quantizeProbabilities(g: Graph, x: Value, bits: number, per: "token" | "tensor"): Value {
  return per === "token"
    ? fakeQuantize(g, x, bits, [1, 3])
    : roundTo(g, x, g.float(Math.fround(1 / levelsOf(bits))));
}
