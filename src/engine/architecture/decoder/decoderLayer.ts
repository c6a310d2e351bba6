import { IDENTITY, type LinearInputs } from "../inputs/quantizedInputs.ts";
import { ACTIVATIONS } from "../graph/activationFunctions.ts";
import { attention, normalize, rotate } from "../graph/layerParts.ts";
import type { Attention, ClampedGate, Experts, Layer, Mlp, Norm } from "../description/description.ts";
import type { Graph, Value } from "../graph/graph.ts";

/** A layer's weights as its equations use them, by slot. */
export interface LayerOperands {
  /** A norm's weight or bias. */
  readonly weight: (slot: string) => Value;
  /** x·Wᵀ, with the bias where the layer has one. x: (rows, in). */
  readonly linear: (slot: string, x: Value) => Value;
}

/** Keys and values of one layer: (batch, keyValueHeads, tokens, headSize). */
export interface KeysAndValues {
  readonly keys: Value;
  readonly values: Value;
}

/** What a layer knows of positions, by the names of {@link PositionTables}; only those that its equations have. */
export interface PositionValues {
  /** Of each token's angles, to be multiplied with (batch, heads, sequence, size / 2). */
  readonly cos?: Value;
  readonly sin?: Value;
  /** Of each token, to be multiplied with queries: (…, sequence, 1). */
  readonly query_scale?: Value;
}

export interface LayerInput extends PositionValues {
  /** Rows of all windows below one another: (batch · sequence, hidden). */
  readonly x: Value;
  /** Sizes, as 1-element int64 tensors. */
  readonly batch: Value;
  readonly sequence: Value;
  /** Additive, to be added to (batch, heads, sequence, keys). */
  readonly mask: Value;
  /** Of the tokens before these, where they were computed before. */
  readonly past?: KeysAndValues;
}

export interface LayerStyle {
  /** Blocks that attention cuts its queries into; only without a past. Default 1. */
  readonly queryBlocks?: number | undefined;
  /** What the inputs of linears and of attention's products go through. Default: nothing. */
  readonly inputs?: LinearInputs;
}

export interface LayerResult {
  /** (batch · sequence, hidden); without what experts add, where the layer has them. */
  readonly y: Value;
  /** Of all tokens so far; keys are rotated. */
  readonly present: KeysAndValues;
  /** What goes into q, k and v, and into gate and up, as rows; like `down.input` before it is quantized. */
  readonly attentionInput: Value;
  readonly mlpInput: Value;
  /** What goes into `down_proj` and what comes out, as rows; null in a layer with experts. */
  readonly down: MlpValues | null;
  /** Null in a layer without experts. */
  readonly routing: Routing | null;
}

/** What goes into an MLP's last matrix and what comes out: rows. */
export interface MlpValues {
  readonly input: Value;
  readonly output: Value;
}

/** Where the rows of a layer go: `input` (rows, hidden) into the experts `chosen` (rows, perToken) int64, by `shares` (rows, perToken). */
export interface Routing {
  readonly perToken: number;
  readonly input: Value;
  readonly chosen: Value;
  readonly shares: Value;
}

/** One layer by its description: Layer says the equations. */
export function decoderLayer(
  g: Graph,
  layer: Layer,
  operands: LayerOperands,
  input: LayerInput,
  { queryBlocks = 1, inputs = IDENTITY }: LayerStyle = {},
): LayerResult {
  const { x } = input;
  const first = g.scope("attention", () => {
    const attentionInput = normed(g, layer.attention.before, operands, x);
    const u = inputs.residual(attentionInput);
    const { rows, present } = attentionOf(
      g,
      layer.attention.body,
      operands,
      { ...input, x: u },
      queryBlocks,
      inputs,
    );
    const output = operands.linear(layer.attention.body.output.slot, inputs.attentionOutput(rows));
    return { sum: added(g, layer.attention, operands, output), present, attentionInput, u };
  });
  const h = layer.parallel ? x : g.scope("attention", () => g.add(x, first.sum));

  return g.scope("mlp", () => {
    const shared = layer.parallel && layer.mlp.before === layer.attention.before;
    const mlpInput = shared ? first.attentionInput : normed(g, layer.mlp.before, operands, h);
    const u = shared ? first.u : inputs.residual(mlpInput);
    const { present, attentionInput } = first;
    const { experts } = layer.mlp.body;
    const scaled = (y: Value): Value =>
      layer.scalar === undefined ? y : g.multiply(y, operands.weight("scalar"));
    if (experts) {
      if (layer.scalar !== undefined) throw new Error("what experts add comes after a layer's own factor");
      const routing = routed(g, experts, operands, u);
      const y = layer.parallel ? g.add(x, first.sum) : h;
      return { y, present, attentionInput, mlpInput, down: null, routing };
    }
    const down = mlpOf(g, layer.mlp.body, operands, u, (it) => inputs.down(it));
    const sum = added(g, layer.mlp, operands, down.output);
    const y = layer.parallel ? g.add(x, g.add(first.sum, sum)) : g.add(h, sum);
    return { y: scaled(y), present, attentionInput, mlpInput, down, routing: null };
  });
}

/** The experts of every row and what each counts: the largest of the softmax over all [arXiv:1701.06538, eq. 5]. */
function routed(g: Graph, { router }: Experts, { linear }: LayerOperands, x: Value): Routing {
  const { perToken, normalized } = router;
  return g.scope("router", () => {
    const scores = g.softmax(linear(router.gate.slot, x), -1);
    const [shares, chosen] = g.largest(scores, perToken);
    const total = (): Value => g.op("ReduceSum", [shares, g.ints([-1])], { keepdims: 1 });
    return {
      ...{ perToken, input: x, chosen },
      shares: normalized ? g.op("Div", [shares, total()]) : shares,
    };
  });
}

function normed(g: Graph, norm: Norm | null, { weight }: LayerOperands, x: Value): Value {
  return norm ? normalize(g, x, norm, weight) : x;
}

/** What a block adds to the residual stream. */
function added(
  g: Graph,
  { after, residual }: Layer["attention"] | Layer["mlp"],
  operands: LayerOperands,
  output: Value,
): Value {
  const sum = normed(g, after, operands, output);
  return residual === 1 ? sum : g.multiply(sum, g.float(residual));
}

/** Everything of attention but its output projection: rows (batch · sequence, heads · headSize). */
function attentionOf(
  g: Graph,
  it: Attention,
  operands: LayerOperands,
  { x, batch, sequence, mask, past, ...positions }: LayerInput,
  queryBlocks: number,
  inputs: LinearInputs,
): { rows: Value; present: KeysAndValues } {
  const { heads, headSize } = it;
  const [queries, ownKeys, v] = headsOf(g, it, operands, x, { batch, sequence });
  const turned = (of: Value): Value =>
    it.rotary && positions.cos && positions.sin
      ? rotate(g, of, { cos: positions.cos, sin: positions.sin }, { headSize, ...it.rotary })
      : of;
  const scaled = (of: Value): Value => (positions.query_scale ? g.multiply(of, positions.query_scale) : of);
  const q = scaled(turned(queries));
  const k = turned(ownKeys);
  const keys = past ? g.concat([past.keys, k], 2) : k;
  const values = past ? g.concat([past.values, v], 2) : v;
  const sinks = it.sinks === null ? null : operands.weight("sinks");
  const result = attention(g, { q, k: keys, v: values, mask }, { ...it, queryBlocks, sinks }, inputs);
  const rows = g.reshape(g.transpose(result, [0, 2, 1, 3]), [-1, heads * headSize]);
  return { rows, present: { keys, values } };
}

/** Queries, keys and values of every head: (batch, heads, sequence, headSize). */
function headsOf(
  g: Graph,
  it: Attention,
  operands: LayerOperands,
  x: Value,
  { batch, sequence }: Pick<LayerInput, "batch" | "sequence">,
): readonly Value[] {
  const { heads, keyValueHeads, headSize, clip, queryKeyNorm, valueNorm } = it;
  const counts = [heads, keyValueHeads, keyValueHeads];
  return projected(g, it, operands, x).map((rows, i) => {
    const cut = clip === null ? rows : g.op("Clip", [rows, g.float(-clip), g.float(clip)]);
    const norm = i === 0 ? queryKeyNorm?.q : i === 1 ? queryKeyNorm?.k : valueNorm;
    const wide = norm && i < 2 && queryKeyNorm?.over === "width" ? normed(g, norm, operands, cut) : cut;
    const apart = g.reshape(wide, [batch, sequence, counts[i], headSize]);
    const own = queryKeyNorm?.over === "head" || i === 2 ? norm : undefined;
    const each = own ? normed(g, own, operands, apart) : apart;
    return g.transpose(each, [0, 2, 1, 3]);
  });
}

/** q, k and v as rows (batch · sequence, heads · headSize). */
function projected(g: Graph, it: Attention, { linear }: LayerOperands, x: Value): readonly Value[] {
  const { projections, heads, keyValueHeads, headSize } = it;
  if (projections.kind === "apart") {
    const [q, k] = [projections.q, projections.k].map(({ slot }) => linear(slot, x));
    return [q, k, projections.v ? linear(projections.v.slot, x) : k];
  }
  const rows = linear(projections.qkv.slot, x);
  if (projections.kind === "blocks")
    return g.split(
      rows,
      [heads, keyValueHeads, keyValueHeads].map((n) => n * headSize),
      -1,
    );
  const perKey = heads / keyValueHeads;
  const grouped = g.reshape(rows, [-1, keyValueHeads, perKey + 2, headSize]);
  return g
    .split(grouped, [perKey, 1, 1], 2)
    .map((part, i) => g.reshape(part, [-1, (i === 0 ? heads : keyValueHeads) * headSize]));
}

/** One MLP over rows. @param through what its last matrix's input goes through */
export function mlpOf(
  g: Graph,
  mlp: Mlp,
  operands: LayerOperands,
  u: Value,
  through: (x: Value) => Value = (x) => x,
): MlpValues {
  const input = downInput(g, mlp, operands, u);
  return { input, output: operands.linear(mlp.down.slot, through(input)) };
}

function downInput(
  g: Graph,
  { projections, activation, clamped }: Mlp,
  { linear }: LayerOperands,
  u: Value,
): Value {
  const act = ACTIVATIONS[activation];
  if (projections.kind === "plain") return act(g, linear(projections.up.slot, u));
  const [gate, up] =
    projections.kind === "gated-fused"
      ? g.halves(linear(projections.gateUp.slot, u), -1)
      : [linear(projections.gate.slot, u), linear(projections.up.slot, u)];
  return clamped ? clampedGate(g, clamped, gate, up) : g.multiply(act(g, gate), up);
}

function clampedGate(g: Graph, { alpha, limit }: ClampedGate, gate: Value, up: Value): Value {
  const low = g.op("Min", [gate, g.float(limit)]);
  const cut = g.op("Clip", [up, g.float(-limit), g.float(limit)]);
  const act = g.multiply(low, g.sigmoid(g.multiply(low, g.float(alpha))));
  return g.multiply(act, g.add(cut, g.float(1)));
}
