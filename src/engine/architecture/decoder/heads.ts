import { Graph, type Value } from "../graph/graph.ts";
import type { Decoder } from "../description/description.ts";
import { capped, normalize } from "../graph/layerParts.ts";

/** What the graphs behind the last layer depend on. */
export type HeadShape = Pick<Decoder, "hiddenSize" | "vocabulary" | "norm" | "head">;

/** Final norm and output head: `logits` and their log-softmax. Inputs and outputs: Architecture.headGraph. */
export function buildHeadGraph(shape: HeadShape): Uint8Array {
  const g = new Graph("head");
  const logits = headLogits(g, shape);
  g.output("logits", logits, ["rows", shape.vocabulary]);
  g.output("log_probs", g.logSoftmax(logits, -1), ["rows", shape.vocabulary]);
  return g.encode();
}

/** NLL of each label and the most likely token. Inputs and outputs: Architecture.scoreGraph. */
export function buildScoreGraph(shape: HeadShape): Uint8Array {
  const g = new Graph("score");
  const logits = headLogits(g, shape);
  const labels = g.input("labels", ["rows"], "int32");
  g.output("nll", negativeLogLikelihood(g, g.logSoftmax(logits, -1), labels), ["rows"]);
  g.output("top", mostLikely(g, logits), ["rows"], "int32");
  return g.encode();
}

/**
 * NLL, KL(reference ‖ this) = Σ p·(log p − log p̂) and agreement of the most likely token. Inputs and outputs:
 * Architecture.judgeGraph. Where p underflows to 0 the term is 0, its limit, even if log p̂ is −∞ there.
 */
export function buildJudgeGraph(shape: HeadShape): Uint8Array {
  const g = new Graph("judge");
  const logits = headLogits(g, shape);
  const labels = g.input("labels", ["rows"], "int32");
  const logP = g.input("reference", ["rows", shape.vocabulary]);
  const logQ = g.logSoftmax(logits, -1);
  g.output("nll", negativeLogLikelihood(g, logQ, labels), ["rows"]);
  g.output(
    "kl",
    g.scope("kl", () => divergence(g, logP, logQ)),
    ["rows"],
  );
  const agrees = g.op("Equal", [mostLikely(g, logP), mostLikely(g, logits)]);
  g.output("top_agrees", g.op("Cast", [agrees], { to: 1 }), ["rows"]);
  return g.encode();
}

function headLogits(g: Graph, shape: HeadShape): Value {
  const { hiddenSize, vocabulary, norm } = shape;
  const hidden = g.input("hidden", ["rows", hiddenSize]);
  const weights = new Map<string, Value>();
  if (norm.gain !== "none") weights.set(norm.path, g.input("norm", [hiddenSize]));
  if (norm.bias) weights.set(`${norm.path}_bias`, g.input("norm_bias", [hiddenSize]));
  const head = g.input("head", [vocabulary, hiddenSize]);
  const bias = shape.head.bias === null ? undefined : g.input("head_bias", [vocabulary]);
  return logitsOf(g, shape, hidden, {
    weight: (slot) => weights.get(slot) ?? missing(slot),
    head: (x) => g.linear(x, head, bias),
  });
}

function missing(slot: string): never {
  throw new Error(`the head has no tensor in slot ${slot}`);
}

/** Logits of rows (n, hidden), wherever the weights are. */
export function logitsOf(
  g: Graph,
  { norm, head }: Pick<HeadShape, "norm" | "head">,
  hidden: Value,
  weights: { readonly weight: (slot: string) => Value; readonly head: (x: Value) => Value },
): Value {
  return g.scope("head", () => {
    const products = weights.head(normalize(g, hidden, norm, weights.weight));
    const logits = head.scale === 1 ? products : g.multiply(products, g.float(head.scale));
    return head.softcap === null ? logits : capped(g, logits, head.softcap);
  });
}

/** −log p[label]. logProbs: (rows, vocabulary); labels: (rows) int32. */
function negativeLogLikelihood(g: Graph, logProbs: Value, labels: Value): Value {
  return g.scope("nll", () => {
    const picked = g.op("GatherElements", [logProbs, g.reshape(labels, [-1, 1])], { axis: 1 });
    return g.op("Neg", [g.reshape(picked, [-1])]);
  });
}

function divergence(g: Graph, logP: Value, logQ: Value): Value {
  const p = g.op("Exp", [logP]);
  const terms = g.multiply(p, g.subtract(logP, logQ));
  const zero = g.float(0);
  return g.sum(g.op("Where", [g.op("Greater", [p, zero]), terms, zero]), 1);
}

function mostLikely(g: Graph, scores: Value): Value {
  return g.op("Cast", [g.op("ArgMax", [scores], { axis: 1, keepdims: 0 })], { to: 6 });
}

/**
 * Σ over columns of (x·Wᵀ)², row by row: `x` (rows, in), `weight` (out, in) → `squares` (rows). With W − Ŵ in place of W it is what a
 * change of the weights does to the output.
 */
export function buildSquaresGraph(): Uint8Array {
  const g = new Graph("squares");
  const product = g.linear(g.input("x", ["rows", "in"]), g.input("weight", ["out", "in"]));
  g.output("squares", g.sum(g.multiply(product, product), 1), ["rows"]);
  return g.encode();
}
