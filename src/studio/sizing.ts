import type { ModelSummary } from "#shared/model.ts";
import type { Settings } from "#shared/settings.ts";
import { TRAJECTORY_BYTES } from "#engine/evaluate/hiddenStates.ts";

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
/** More variants in one wave gain nothing (a read is shared by eight already) and delay the first result. */
const MAX_WAVE = 8;
const SHARE_OF_FREE = 0.75;

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
  work: { tokens: number; variants: number },
  machine: Machine,
  settings: Pick<Settings, "workers" | "threadsPerWorker" | "memoryLimitBytes">,
): WorkSize {
  const budget = settings.memoryLimitBytes ?? machine.freeBytes * SHARE_OF_FREE;
  const states = work.tokens * shape.hiddenSize * F32;
  const shared = states + Math.min(states * shape.layers, TRAJECTORY_BYTES);
  const fixed = fixedBytes(shape, work.tokens);
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

/** Threads of a job that runs in one worker. */
export function soloThreads(machine: Machine, settings: Pick<Settings, "threadsPerWorker">): number {
  return settings.threadsPerWorker ?? machine.cores;
}

function fixedBytes(shape: ModelShape, tokens: number): number {
  const activations =
    Math.min(tokens, LAYER_TOKENS) * (3 * shape.intermediateSize + 6 * shape.hiddenSize) * F32;
  const headRows = Math.min(tokens * shape.vocabulary * F32, HEAD_CHUNK_BYTES) * HEAD_COPIES;
  return (
    WORKER_BASE_BYTES +
    2 * shape.layerBytes +
    shape.headBytes +
    headRows +
    activations +
    SCORE_BYTES * SCORE_COPIES
  );
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
