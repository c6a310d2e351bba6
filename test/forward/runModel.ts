import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import { readHead as readEngineHead } from "#engine/evaluate/stream/judgeHead.ts";
import type { Forward, HeadWeights, HiddenBatch, LayerWeights, Taps } from "#engine/forward/forward.ts";

/** Every weight of one layer, read whole. */
export async function readLayer(
  architecture: Architecture,
  checkpoint: Checkpoint,
  layer: number,
): Promise<LayerWeights> {
  return createLayerReader({ architecture, checkpoint }).read(layer);
}

export async function readHead(architecture: Architecture, checkpoint: Checkpoint): Promise<HeadWeights> {
  return readEngineHead({ architecture, checkpoint });
}

export interface Pass {
  readonly layers: readonly { taps: Taps; hidden: HiddenBatch }[];
  /** (batch · sequence, vocabulary) */
  readonly logits: Float32Array;
}

/** All layers and the head over some windows, with every tap. */
export async function runModel(
  architecture: Architecture,
  checkpoint: Checkpoint,
  forward: Forward,
  windows: readonly ArrayLike<number>[],
): Promise<Pass> {
  let hidden = await forward.embed(checkpoint, windows);
  const layers: { taps: Taps; hidden: HiddenBatch }[] = [];
  for (let layer = 0; layer < architecture.facts.layers; layer++) {
    const result = await forward.layerWithTaps(
      layer,
      hidden,
      await readLayer(architecture, checkpoint, layer),
    );
    layers.push(result);
    hidden = result.hidden;
  }
  return { layers, logits: await forward.logits(hidden.data, await readHead(architecture, checkpoint)) };
}

/** Largest |a − b|; NaN where either holds one, or the lengths differ. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i])); // Math.max keeps a NaN
  return largest;
}
