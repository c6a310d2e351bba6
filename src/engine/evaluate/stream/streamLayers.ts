import { KeystoneError, toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { LayerError } from "#shared/evaluation.ts";
import { orNull } from "#shared/numbers.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import {
  batchTokens,
  embedBatches,
  gatherScored,
  keepStates,
  keptBatches,
  relativeError,
  type BatchPlan,
} from "./hiddenStates.ts";
import { createLayerReader } from "./layerReader.ts";
import type { Meter } from "./meter.ts";
import { keptRows, putBack, recordPeaks, type KeptPeaks } from "./keepSuperActivation.ts";
import type { Engine, Watch } from "./engine.ts";
import type { Trajectory } from "./scoring.ts";
import type { Variant } from "./variant.ts";
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
  /** Keep the original's hidden states behind every layer. */
  readonly keepTrajectory?: boolean;
  /** The original's hidden states behind every layer: the variants' errors against them are noted. */
  readonly trajectory?: Trajectory | undefined;
  readonly checkFinite: boolean;
  /**
   * Shown the hidden states behind every layer: [variant][batch], a variant's own or, until it differs, the original's. They are
   * overwritten by the next layer. A variant that failed has none.
   */
  readonly observe?: (layer: number, states: readonly (readonly HiddenBatch[])[]) => void;
}

export interface Streamed {
  readonly lanes: readonly Lane[];
  /** Final hidden states of the original, (scored, hidden); null where nobody needed them. */
  readonly original: Float32Array | null;
  /** Empty where it was not asked for. */
  readonly trajectory: Trajectory;
}

/** Layers that a pass computes, summed over the original and all variants: the total of its progress. */
export function layerPasses(
  { architecture }: Pick<Engine, "architecture">,
  variants: readonly Variant[],
  options: Pick<StreamOptions, "original">,
): number {
  const { layers } = architecture.facts;
  const firsts = variants.map((variant) => firstChange(architecture, variant));
  return (
    originalUntil(architecture.facts.layers, variants, firsts, options) +
    firsts.reduce((n, first) => n + layers - Math.max(0, first), 0)
  );
}

/**
 * Takes all variants through the decoder layers: each layer is read once and widened once; each variant's weights are made
 * from it in scratch memory, and its own hidden states pass through batch by batch. The original runs along as far as
 * someone needs it. A variant whose weights cannot be made gets an error and leaves; the others go on.
 */
export async function streamLayers(
  engine: Engine,
  plan: BatchPlan,
  variants: readonly Variant[],
  options: StreamOptions,
  meter: Meter,
  watch: Watch,
): Promise<Streamed> {
  const { layers, hiddenSize } = engine.architecture.facts;
  const kept = options.keepTrajectory ? keptBatches(plan, layers, hiddenSize) : 0;
  const trajectory: Float32Array[][] = [];
  const reader = createLayerReader(engine, options.checkFinite);
  const lanes = await openLanes(engine, plan, variants);
  const firsts = lanes.map((lane) => lane.first);
  const until = originalUntil(layers, variants, firsts, options);
  const shared = options.original || until > 0 || firsts.some((first) => first >= 0);
  let original = shared ? await embedBatches(engine, plan) : null;

  for (let layer = 0; layer < layers; layer++) {
    const running = lanes.filter((lane) => lane.error === null && lane.first <= layer);
    if (running.length === 0 && layer >= until) continue;
    const weights = await reader.read(layer);
    const step: Step = {
      engine,
      plan,
      meter,
      layer,
      weights,
      peaks: new Map(),
      rows: keptRows(variants, layer),
    };
    const next = original && layer < until ? await originalLayer(step, original) : null;
    for (const lane of running) await laneLayer(step, lane, original ?? []);
    original = next;
    if (original && kept > 0) trajectory.push(keepStates(original, kept));
    if (options.trajectory) noteLayerErrors(step, lanes, options.trajectory[layer]);
    options.observe?.(layer, statesOf(lanes, original));
    watch.onLayer?.(layer);
  }
  return { ...finish(engine, plan, lanes, original, options.original), trajectory };
}

/** What the original and the variants share at one layer. */
interface Step {
  readonly engine: Engine;
  readonly plan: BatchPlan;
  readonly meter: Meter;
  readonly layer: number;
  /** The original's. */
  readonly weights: LayerWeights;
  /** Channels of down_proj's output that some variant keeps, and what the original has there. */
  readonly rows: readonly number[];
  readonly peaks: KeptPeaks;
}

function phaseOf({ layer, engine }: Step): string {
  return `layer ${layer + 1} of ${engine.architecture.facts.layers}`;
}

/** The original's next hidden states; its input stays, for the variants that begin to differ here. */
async function originalLayer(step: Step, input: readonly HiddenBatch[]): Promise<HiddenBatch[]> {
  const { engine, layer, weights, rows, peaks } = step;
  const output: HiddenBatch[] = [];
  for (const [b, batch] of input.entries()) {
    if (rows.length === 0) output.push(await engine.forward.layer(layer, batch, weights));
    else {
      const { hidden, taps } = await engine.forward.layerWithTaps(layer, batch, weights);
      recordPeaks(peaks, rows, b, batch, taps.output, engine.architecture.facts.hiddenSize);
      output.push(hidden);
    }
    await step.meter.advance(batchTokens(step.plan, b), phaseOf(step));
  }
  return output;
}

/** A variant's next hidden states, batch by batch in place; from the original's where it has none of its own yet. */
async function laneLayer(step: Step, lane: Lane, original: readonly HiddenBatch[]): Promise<void> {
  const { engine, layer, peaks } = step;
  const begin = performance.now();
  const weights = attempt(lane, () => lane.weights.layer(layer, step.weights));
  if (weights === null) return;
  const rows = keptRows([lane.variant], layer);
  const inputs = lane.variant.activations?.layers[layer];
  const batches = lane.hidden ?? [...original];
  for (const [b, batch] of batches.entries()) {
    if (rows.length === 0) batches[b] = await engine.forward.layer(layer, batch, weights, inputs);
    else {
      const { hidden, taps } = await engine.forward.layerWithTaps(layer, batch, weights, inputs);
      putBack(peaks, rows, b, hidden, taps.output, engine.architecture.facts.hiddenSize);
      batches[b] = hidden;
    }
    await step.meter.advance(batchTokens(step.plan, b), phaseOf(step));
  }
  lane.hidden = batches;
  lane.seconds += (performance.now() - begin) / 1000;
}

function statesOf(
  lanes: readonly Lane[],
  original: readonly HiddenBatch[] | null,
): (readonly HiddenBatch[])[] {
  return lanes.map((lane) => (lane.error === null ? (lane.hidden ?? original ?? []) : []));
}

function noteLayerErrors(
  { engine, plan, layer }: Step,
  lanes: readonly Lane[],
  original: readonly Float32Array[],
): void {
  for (const lane of lanes) {
    if (lane.error !== null) continue;
    const { hiddenSize } = engine.architecture.facts;
    const relative = lane.hidden ? orNull(relativeError(plan, original, lane.hidden, hiddenSize)) : 0;
    lane.layers.push({ layer, relative });
  }
}

/** Keeps the scored positions alone. A variant that never differed has the original's. */
function finish(
  { architecture }: Engine,
  plan: BatchPlan,
  lanes: readonly Lane[],
  original: readonly HiddenBatch[] | null,
  originalWanted: boolean,
): Omit<Streamed, "trajectory"> {
  const { hiddenSize } = architecture.facts;
  const wanted = originalWanted || lanes.some((lane) => lane.hidden === null && lane.error === null);
  const originalFinal = original && wanted ? gatherScored(plan, original, hiddenSize) : null;
  for (const lane of lanes) {
    if (lane.error !== null) continue;
    lane.final = lane.hidden ? gatherScored(plan, lane.hidden, hiddenSize) : originalFinal;
    lane.hidden = null;
  }
  return { lanes, original: originalFinal };
}

async function openLanes(engine: Engine, plan: BatchPlan, variants: readonly Variant[]): Promise<Lane[]> {
  const scratch = createScratch();
  const lanes: Lane[] = [];
  for (const variant of variants) {
    const weights = createWeightMaker(engine.architecture, variant, scratch);
    const lane: Lane = {
      variant,
      weights,
      first: firstChange(engine.architecture, variant),
      layers: [],
      hidden: null,
      final: null,
      seconds: 0,
      error: null,
    };
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
function originalUntil(
  layers: number,
  variants: readonly Variant[],
  firsts: readonly number[],
  options: Pick<StreamOptions, "original">,
): number {
  if (options.original) return layers;
  const kept = variants.flatMap((variant) =>
    (variant.keepSuperActivation ?? []).map(({ layer }) => layer + 1),
  );
  return Math.max(0, ...firsts, ...kept);
}
