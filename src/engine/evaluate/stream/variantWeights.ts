import type { TensorError } from "#shared/evaluation.ts";
import { applySmoothing } from "#engine/recipe/smoothing.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { EXPERTS, type LayerWeights } from "#engine/forward/forward.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import {
  poolStatistics,
  toTensorError,
  type QuantizationStatistics,
} from "#engine/quantize/plan/statistics.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { Variant, WeightEdit } from "./variant.ts";

/** Memory that the weights of one variant at a time are made in; every variant of a wave uses the same. */
export interface Scratch {
  /** A buffer of `length` values for this use; its values are whatever was there. */
  take(use: string, length: number): Float32Array;
}

/** Makes one variant's weights from the original's and keeps account of the error. */
export interface WeightMaker {
  /**
   * A layer's weights: changed slots lie in scratch memory, valid until the next call; the others are the original's own. An expert's are
   * made when it is read.
   */
  layer(layer: number, original: LayerWeights): LayerWeights;
  /** One tensor outside the layers: a buffer of its own, or the original where nothing changes. */
  tensor(name: string, original: Float32Array): Float32Array;
  /** Errors of the quantized tensors so far, in the order they were made; of smoothed ones against the smoothed weights. */
  errors(): readonly TensorError[];
  /** 10·log10(Σw² / Σ(w − ŵ)²) over them; null where nothing was quantized or nothing differs. */
  sqnrDb(): number | null;
}

export function createScratch(): Scratch {
  const buffers = new Map<string, Float32Array>();
  return {
    take(use, length) {
      const known = buffers.get(use);
      if (known?.length === length) return known;
      const fresh = new Float32Array(length);
      buffers.set(use, fresh);
      return fresh;
    },
  };
}

/** Whether a variant changes a tensor at all. */
export function changes(variant: Variant, name: string): boolean {
  return variant.plans.has(name) || (variant.edits?.has(name) ?? false);
}

/** First layer whose hidden states differ from the original's: −1 where the embedding changes, the number of layers where none does. */
export function firstChange(architecture: Architecture, variant: Variant): number {
  if (changes(variant, architecture.embedTensor)) return -1;
  if (variant.activations) return 0;
  const { layers } = architecture.facts;
  for (let layer = 0; layer < layers; layer++) {
    if (architecture.layerTensors(layer).some(({ name }) => changes(variant, name))) return layer;
    if (variant.keepSuperActivation?.some((kept) => kept.layer === layer)) return layer;
  }
  return layers;
}

export function createWeightMaker(
  architecture: Architecture,
  variant: Variant,
  scratch: Scratch,
): WeightMaker {
  const quantized = new Map<
    string,
    { readonly plan: TensorPlan; readonly statistics: QuantizationStatistics }
  >();

  function make(name: string, original: Float32Array, take: (use: string) => Float32Array): Float32Array {
    const edits = variant.edits?.get(name);
    const edited = edits ? applyEdits(original, edits, take("edited")) : original;
    const smoothing = variant.activations?.smoothing.get(name);
    const smoothed = smoothing ? applySmoothing(edited, smoothing, take("smoothed")) : edited;
    const plan = variant.plans.get(name);
    if (!plan) return smoothed;
    const out = take("quantized");
    quantized.set(name, { plan, statistics: quantizeDequantize(smoothed, plan, out) });
    return out;
  }

  return {
    layer(layer, original) {
      const weights: Record<string, Float32Array> = {};
      for (const { slot, name, expert } of architecture.layerTensors(layer)) {
        if (expert) continue;
        weights[slot] = make(name, original[slot], (use) =>
          scratch.take(`${use} ${slot}`, original[slot].length),
        );
      }
      const read = original[EXPERTS];
      if (!read) return weights;
      return {
        ...weights,
        [EXPERTS]: async (number) => {
          const source = await read(number);
          return Object.fromEntries(
            architecture.expertTensors(layer, number).map(({ slot: whole, name, expert }) => {
              const slot = expert?.slot ?? whole;
              const take = (use: string) => scratch.take(`${use} experts.*.${slot}`, source[slot].length);
              return [slot, make(name, source[slot], take)];
            }),
          );
        },
      };
    },
    tensor: (name, original) => make(name, original, () => new Float32Array(original.length)),
    errors: () => Array.from(quantized.values(), ({ plan, statistics }) => toTensorError(plan, statistics)),
    sqnrDb: () => poolStatistics(Array.from(quantized.values(), ({ statistics }) => statistics)).sqnrDb,
  };
}

function applyEdits(original: Float32Array, edits: readonly WeightEdit[], out: Float32Array): Float32Array {
  out.set(original);
  for (const { index, factor } of edits) out[index] *= factor;
  return out;
}
