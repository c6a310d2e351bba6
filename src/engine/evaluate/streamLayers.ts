import { KeystoneError, toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { LayerError } from "#shared/evaluation.ts";
import { orNull } from "#shared/numbers.ts";
import type { HiddenBatch, LayerWeights } from "../forward/types.ts";
import { batchTokens, embedBatches, gatherScored, relativeError, type BatchPlan } from "./hiddenStates.ts";
import { createLayerReader } from "./layerReader.ts";
import type { Meter } from "./meter.ts";
import { keptRows, putBack, recordPeaks, type KeptPeaks } from "./superActivation.ts";
import type { Engine, Variant, Watch } from "./types.ts";
import { createScratch, createWeightMaker, firstChange, type WeightMaker } from "./variantWeights.ts";

/** A variant on its way through the layers. Until its first changed layer it shares the original's hidden states. */
export interface Lane {
  readonly variant: Variant;
  readonly weights: WeightMaker;
  /** First layer that differs from the original; −1 for the embedding, the number of layers for none. */
  readonly first: number;
  readonly layers: LayerError[];
  hidden: HiddenBatch[] | null;
  /** Hidden states of the scored positions behind the last layer: (scored, hidden). */
  final: Float32Array | null;
  seconds: number;
  error: KeystoneErrorData | null;
}

export interface StreamOptions {
  /** Whether the original's final hidden states are wanted too. */
  readonly original: boolean;
  readonly layerErrors: boolean;
  readonly checkFinite: boolean;
}

export interface Streamed {
  readonly lanes: readonly Lane[];
  /** Final hidden states of the original, (scored, hidden); null where nobody needed them. */
  readonly original: Float32Array | null;
}

/** Layers that a pass computes, summed over the original and all variants: the total of its progress. */
export function layerPasses({ architecture }: Engine, variants: readonly Variant[], options: StreamOptions): number {
  const { layers } = architecture.facts;
  const firsts = variants.map((variant) => firstChange(architecture, variant));
  return originalUntil(architecture.facts.layers, variants, firsts, options) + firsts.reduce((n, first) => n + layers - Math.max(0, first), 0);
}

/**
 * Takes all variants through the decoder layers: each layer is read once and widened once; each variant's weights are made
 * from it in scratch memory, and its own hidden states pass through batch by batch. The original runs along as far as
 * someone needs it. A variant whose weights cannot be made gets an error and leaves; the others go on.
 */
export async function streamLayers(engine: Engine, plan: BatchPlan, variants: readonly Variant[], options: StreamOptions, meter: Meter, watch: Watch): Promise<Streamed> {
  const { architecture, forward } = engine;
  const { layers, hiddenSize } = architecture.facts;
  const reader = createLayerReader(engine, options.checkFinite);
  const lanes = await openLanes(engine, plan, variants);
  const until = originalUntil(layers, variants, lanes.map((lane) => lane.first), options);
  let original = until > 0 || lanes.some((lane) => lane.first >= 0) || options.original ? await embedBatches(engine, plan) : null;

  for (let layer = 0; layer < layers; layer++) {
    const phase = `layer ${layer + 1} of ${layers}`;
    const running = lanes.filter((lane) => lane.error === null && lane.first <= layer);
    if (running.length === 0 && layer >= until) continue;
    const weights = await reader.read(layer);
    const rows = keptRows(variants, layer);
    const peaks: KeptPeaks = new Map();
    let next: HiddenBatch[] | null = null;
    if (layer < until && original) {
      next = [];
      for (const [b, batch] of original.entries()) {
        next.push(await originalLayer(batch, b));
        await meter.advance(batchTokens(plan, b), phase);
      }
    }
    for (const lane of running) {
      const begin = performance.now();
      const changed = makeWeights(lane, layer, weights);
      if (changed === null) continue;
      const input: HiddenBatch[] = lane.hidden ?? [...(original ?? [])];
      for (const [b, batch] of input.entries()) {
        input[b] = await variantLayer(lane, layer, batch, changed, b, peaks);
        await meter.advance(batchTokens(plan, b), phase);
      }
      lane.hidden = input;
      lane.seconds += (performance.now() - begin) / 1000;
    }
    original = next;
    if (options.layerErrors && original) noteLayerErrors(layer, original);
    watch.onLayer?.(layer);

    async function originalLayer(batch: HiddenBatch, b: number): Promise<HiddenBatch> {
      if (rows.length === 0) return forward.layer(layer, batch, weights);
      const { hidden, taps } = await forward.layerWithTaps(layer, batch, weights);
      recordPeaks(peaks, rows, b, batch, taps.output, hiddenSize);
      return hidden;
    }
  }

  const originalFinal = original && (options.original || lanes.some((lane) => lane.hidden === null)) ? gatherScored(plan, original, hiddenSize) : null;
  for (const lane of lanes) {
    if (lane.error === null) lane.final = lane.hidden ? gatherScored(plan, lane.hidden, hiddenSize) : originalFinal;
    lane.hidden = null;
  }
  return { lanes, original: originalFinal };

  async function variantLayer(lane: Lane, layer: number, batch: HiddenBatch, weights: LayerWeights, b: number, peaks: KeptPeaks): Promise<HiddenBatch> {
    const rows = keptRows([lane.variant], layer);
    if (rows.length === 0) return forward.layer(layer, batch, weights);
    const { hidden, taps } = await forward.layerWithTaps(layer, batch, weights);
    putBack(peaks, rows, b, hidden, taps.output, hiddenSize);
    return hidden;
  }

  function noteLayerErrors(layer: number, reference: readonly HiddenBatch[]): void {
    for (const lane of lanes) {
      if (lane.error !== null) continue;
      lane.layers.push({ layer, relative: lane.hidden ? orNull(relativeError(plan, reference, lane.hidden, hiddenSize)) : 0 });
    }
  }
}

async function openLanes(engine: Engine, plan: BatchPlan, variants: readonly Variant[]): Promise<Lane[]> {
  const scratch = createScratch();
  const lanes: Lane[] = [];
  for (const variant of variants) {
    const weights = createWeightMaker(engine.architecture, variant, scratch);
    const lane: Lane = { variant, weights, first: firstChange(engine.architecture, variant), layers: [], hidden: null, final: null, seconds: 0, error: null };
    lanes.push(lane);
    if (lane.first >= 0) continue;
    const begin = performance.now();
    const name = engine.architecture.embedTensor;
    const table = await engine.checkpoint.read(name);
    const made = attempt(lane, () => weights.tensor(name, table));
    if (made) lane.hidden = await embedBatches(engine, plan, made);
    lane.seconds += (performance.now() - begin) / 1000;
  }
  return lanes;
}

function makeWeights(lane: Lane, layer: number, weights: LayerWeights): LayerWeights | null {
  return attempt(lane, () => lane.weights.layer(layer, weights));
}

/** Runs one variant's own computation: what Keystone refuses there is that variant's error, not the wave's. */
export function attempt<T>(lane: Lane, make: () => T): T | null {
  try {
    return make();
  } catch (thrown) {
    if (!(thrown instanceof KeystoneError)) throw thrown;
    lane.error = toErrorData(thrown);
    lane.hidden = null;
    return null;
  }
}

/** How many layers the original must run along. */
function originalUntil(layers: number, variants: readonly Variant[], firsts: readonly number[], options: StreamOptions): number {
  if (options.original || options.layerErrors) return layers;
  const kept = variants.flatMap((variant) => (variant.keepSuperActivation ?? []).map(({ layer }) => layer + 1));
  return Math.max(0, ...firsts, ...kept);
}
