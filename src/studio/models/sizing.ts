import type { ModelSummary } from "#shared/model.ts";
import { needsCalibration, type Recipe } from "#shared/recipe.ts";
import type { Settings } from "#shared/settings.ts";
import { TRAJECTORY_BYTES } from "#engine/evaluate/stream/hiddenStates.ts";

/** The sizes of a model that decide memory, in f32 bytes and numbers. */
export interface ModelShape {
  /** Largest decoder layer, widened. */
  readonly layerBytes: number;
  readonly headBytes: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly vocabulary: number;
  readonly layers: number;
  /** Weights of all decoder linears. */
  readonly linearWeights: number;
}

export interface Machine {
  readonly cores: number;
  readonly freeBytes: number;
}

export interface WorkSize {
  workers: number;
  threadsPerWorker: number;
  variantsPerWave: number;
  /** All workers together, and what they share. */
  peakBytes: number;
  availableBytes: number;
}

const F32 = 4;
/** A worker without a model: its heap, the runtime's libraries and arenas. */
const WORKER_BASE_BYTES = 250 * 2 ** 20;
/** Log-probabilities that the head makes at once; logits, the original's and a temporary lie beside them. */
const HEAD_CHUNK_BYTES = 64 * 2 ** 20;
const HEAD_COPIES = 4;
/** Tokens that go through a layer at once, with the intermediate tensors alive meanwhile and attention's scores. */
const LAYER_TOKENS = 4096;
const SCORE_BYTES = 64 * 2 ** 20;
const SCORE_COPIES = 3;
/** Copies of the largest input, in f32, while it is quantized; and while the median of its values is selected, with their indices. */
const QUANTIZED_COPIES = 2;
const MEDIAN_COPIES = 6;
/** More variants in one wave gain nothing (a read is shared by eight already) and delay the first result. */
const MAX_WAVE = 8;
const SHARE_OF_FREE = 0.75;

/** What a sweep has to do. */
export interface Work {
  readonly tokens: number;
  readonly variants: number;
  /** Whether weights are smoothed before they are quantized, which takes a further layer. */
  readonly smooths?: boolean;
  /** Copies of a layer's largest input that are alive while it is quantized. */
  readonly inputCopies?: number;
}

/** What recipes ask of memory beside their weights. */
export function memoryOf(
  recipes: readonly Pick<Recipe, "activations">[],
): Required<Pick<Work, "smooths" | "inputCopies">> {
  const methods = recipes.flatMap(({ activations }) => activations?.method ?? []);
  const medians = methods.includes("super-activation") ? MEDIAN_COPIES : 0;
  return {
    smooths: recipes.some(needsCalibration),
    inputCopies: (methods.length > 0 ? QUANTIZED_COPIES : 0) + medians,
  };
}

export function modelShape(summary: Pick<ModelSummary, "architecture" | "tensors">): ModelShape {
  const { architecture, tensors } = summary;
  const perLayer = new Map<number, number>();
  let linearWeights = 0;
  for (const tensor of tensors) {
    if (tensor.layer !== null)
      perLayer.set(tensor.layer, (perLayer.get(tensor.layer) ?? 0) + tensor.parameters * F32);
    if (tensor.linear) linearWeights += tensor.parameters;
  }
  return {
    layerBytes: Math.max(0, ...perLayer.values()),
    headBytes: architecture.vocabulary * architecture.hiddenSize * F32,
    hiddenSize: architecture.hiddenSize,
    intermediateSize: architecture.intermediateSize,
    vocabulary: architecture.vocabulary,
    layers: architecture.layers,
    linearWeights,
  };
}

/**
 * Workers, threads and wave size of a sweep.
 *
 *     budget   = settings.memoryLimitBytes, else ¾ of what is free
 *     fixed    = base + 2 layers (as stored, and as a variant changes it) + head + a chunk of the head's output × 4
 *                + the activations of up to 4,096 tokens + attention's scores × 3
 *                + where recipes quantize activations: 2 copies of the largest input, 6 more for medians; where they smooth: 1 layer
 *     variant  = its hidden states and the layer's output: 2 · tokens · hidden · 4
 *     shared   = the original's final hidden states, and those behind every layer up to 256 MiB
 *     workers  = min(cores, variants, ⌊(budget − shared) / (fixed + 2 · variant)⌋), at least 1
 *     threads  = ⌊cores / workers⌋
 *     wave     = ⌊((budget − shared) / workers − fixed) / variant⌋ − 1, from 1 to 8
 *
 * Workers come before threads because independent passes scale better than one pass split up; what the settings name is taken as it is.
 */
export function sizeSweep(
  shape: ModelShape,
  work: Work,
  machine: Machine,
  settings: Pick<Settings, "workers" | "threadsPerWorker" | "memoryLimitBytes">,
): WorkSize {
  const budget = memoryBudget(machine, settings);
  const states = work.tokens * shape.hiddenSize * F32;
  const shared = states + Math.min(states * shape.layers, TRAJECTORY_BYTES);
  const fixed = fixedBytes(shape, work);
  const variant = Math.max(1, 2 * work.tokens * shape.hiddenSize * F32);
  const fit = Math.floor((budget - shared) / (fixed + 2 * variant));
  const workers = settings.workers ?? clamp(Math.min(fit, work.variants), 1, machine.cores);
  const threadsPerWorker = settings.threadsPerWorker ?? Math.max(1, Math.floor(machine.cores / workers));
  const variantsPerWave = clamp(Math.floor(((budget - shared) / workers - fixed) / variant) - 1, 1, MAX_WAVE);
  const inFlight = Math.min(variantsPerWave, Math.max(1, Math.ceil(work.variants / workers)));
  return {
    workers,
    threadsPerWorker,
    variantsPerWave,
    peakBytes: shared + workers * (fixed + (inFlight + 1) * variant),
    availableBytes: budget,
  };
}

/** Bytes that a job may use. */
export function memoryBudget(machine: Machine, settings: Pick<Settings, "memoryLimitBytes">): number {
  return settings.memoryLimitBytes ?? machine.freeBytes * SHARE_OF_FREE;
}

/** Threads of a job that runs in one worker. */
export function soloThreads(machine: Machine, settings: Pick<Settings, "threadsPerWorker">): number {
  return settings.threadsPerWorker ?? machine.cores;
}

function fixedBytes(
  shape: ModelShape,
  { tokens, smooths = false, inputCopies = 0 }: Omit<Work, "variants">,
): number {
  const activations =
    Math.min(tokens, LAYER_TOKENS) *
    ((3 + inputCopies) * shape.intermediateSize + 6 * shape.hiddenSize) *
    F32;
  const headRows = Math.min(tokens * shape.vocabulary * F32, HEAD_CHUNK_BYTES) * HEAD_COPIES;
  return (
    WORKER_BASE_BYTES +
    (smooths ? 3 : 2) * shape.layerBytes +
    shape.headBytes +
    headRows +
    activations +
    SCORE_BYTES * SCORE_COPIES
  );
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
