import { batchTokens, gatherScored, type BatchPlan } from "#engine/evaluate/stream/hiddenStates.ts";
import type { LayerReader } from "#engine/evaluate/stream/layerReader.ts";
import type { Meter } from "#engine/evaluate/stream/meter.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import { applyChanges, type WeightChange } from "../evidence/weightChanges.ts";

/** One changed model: what is multiplied, by which name it is asked for again. */
export interface Probe {
  readonly id: string;
  readonly changes: readonly WeightChange[];
}

/** The original's hidden states in front of a layer, by batch. */
export interface Start {
  readonly layer: number;
  readonly states: readonly HiddenBatch[];
}

export interface EffectStream {
  readonly engine: Engine;
  readonly reader: LayerReader;
  readonly plan: BatchPlan;
  readonly meter: Meter;
  /** Does more with a layer's weights while they are in memory, before the probes run; it leaves them as they are. */
  readonly alsoWith?: (layer: number, weights: LayerWeights) => Promise<void>;
  /** Shown the original's states in front of every layer. They are not overwritten. */
  readonly observe?: (layer: number, states: readonly HiddenBatch[]) => void;
}

/** Final hidden states of the scored positions, (scored, hidden). */
export interface Finals {
  readonly original: Float32Array;
  readonly probes: ReadonlyMap<string, Float32Array>;
}

/** A probe on its way; it shares the original's states until its first changed layer. */
interface Lane {
  readonly probe: Probe;
  states: HiddenBatch[] | null;
}

/** Layer runs of all probes and the original, in tokens · layers. */
export function probeWork(
  { architecture }: Engine,
  plan: BatchPlan,
  probes: readonly Probe[],
  from: number,
): number {
  const { layers } = architecture.facts;
  const runs = probes.reduce((n, probe) => n + layers - firstLayer(probe), layers - from);
  return runs * plan.tokens;
}

/**
 * Takes the original and all probes through the layers from `start` on. A layer is read once. A probe is run by itself where its
 * weights differ, and with all others in one batch where they do not: behind its change a probe differs in its states alone, so
 * many probes cost one large matrix product each, not many small ones.
 */
export async function streamProbes(
  stream: EffectStream,
  probes: readonly Probe[],
  start: Start,
): Promise<Finals> {
  const { engine, reader, plan } = stream;
  const { layers, hiddenSize } = engine.architecture.facts;
  const lanes = probes.map((probe): Lane => ({ probe, states: null }));
  let original = start.states;
  for (let layer = start.layer; layer < layers; layer++) {
    stream.observe?.(layer, original);
    const weights = await reader.read(layer);
    await stream.alsoWith?.(layer, weights);
    for (const lane of lanes.filter(({ probe }) => changesOf(probe, layer).length > 0))
      lane.states = await changedLayer(stream, layer, weights, lane, original);
    const following = lanes.filter(
      ({ probe, states }) => states !== null && changesOf(probe, layer).length === 0,
    );
    original = await sharedLayer(stream, layer, weights, following, original);
  }
  const gather = (states: readonly HiddenBatch[]): Float32Array => gatherScored(plan, states, hiddenSize);
  return {
    original: gather(original),
    probes: new Map(lanes.map(({ probe, states }) => [probe.id, gather(states ?? original)])),
  };
}

/** Runs one lane through a layer whose weights it changes. */
async function changedLayer(
  { engine, meter, plan }: EffectStream,
  layer: number,
  weights: LayerWeights,
  { probe, states }: Lane,
  original: readonly HiddenBatch[],
): Promise<HiddenBatch[]> {
  const changed = applyChanges(engine.architecture, layer, weights, changesOf(probe, layer));
  const next: HiddenBatch[] = [];
  for (const [b, batch] of (states ?? original).entries()) {
    next.push(await engine.forward.layer(layer, batch, changed.weights));
    await meter.advance(batchTokens(plan, b), phase(engine, layer));
  }
  changed.undo();
  return next;
}

/** Runs the original and the lanes that leave this layer as it is, all in one batch; gives the original's next states. */
async function sharedLayer(
  { engine, meter, plan }: EffectStream,
  layer: number,
  weights: LayerWeights,
  lanes: readonly Lane[],
  original: readonly HiddenBatch[],
): Promise<HiddenBatch[]> {
  const next: HiddenBatch[] = [];
  const lanesNext = lanes.map((): HiddenBatch[] => []);
  for (const [b, batch] of original.entries()) {
    const members = [batch, ...lanes.map(({ states }) => (states ?? original)[b])];
    const merged = await engine.forward.layer(layer, merge(members), weights);
    split(merged, batch).forEach((member, i) => (i === 0 ? next : lanesNext[i - 1]).push(member));
    await meter.advance(batchTokens(plan, b) * members.length, phase(engine, layer));
  }
  lanes.forEach((lane, i) => (lane.states = lanesNext[i]));
  return next;
}

/** Batches of one shape as one. */
function merge(members: readonly HiddenBatch[]): HiddenBatch {
  const [{ data, batch, lengths, sequence }] = members;
  if (members.length === 1) return members[0];
  const all = new Float32Array(data.length * members.length);
  members.forEach((member, i) => {
    all.set(member.data, i * data.length);
  });
  return {
    data: all,
    batch: batch * members.length,
    sequence,
    lengths: members.flatMap(() => lengths),
  };
}

function split(merged: HiddenBatch, shape: HiddenBatch): HiddenBatch[] {
  const size = shape.data.length;
  return Array.from({ length: merged.data.length / size }, (_, i) => ({
    ...shape,
    data: merged.data.subarray(i * size, (i + 1) * size),
  }));
}

function firstLayer({ changes }: Probe): number {
  return Math.min(...changes.map(({ layer }) => layer));
}

function changesOf({ changes }: Probe, layer: number): WeightChange[] {
  return changes.filter((change) => change.layer === layer);
}

function phase({ architecture }: Engine, layer: number): string {
  return `effects, layer ${layer + 1} of ${architecture.facts.layers}`;
}
