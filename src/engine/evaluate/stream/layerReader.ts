import { requireFinite } from "#engine/checkpoint/finite.ts";
import type { LayerWeights } from "#engine/forward/forward.ts";
import type { Engine } from "./engine.ts";

/** Reads one layer after another into the same memory. */
export interface LayerReader {
  /** Weights of a layer by slot, f32. They are overwritten by the next call. */
  read(layer: number): Promise<LayerWeights>;
}

/**
 * @param checkFinite refuse NaN and infinite weights; a pass that follows a checked one over the same files can do without
 * @throws KeystoneError checkpoint/not-finite, naming the tensor
 */
export function createLayerReader(
  { checkpoint, architecture }: Pick<Engine, "checkpoint" | "architecture">,
  checkFinite = true,
): LayerReader {
  const buffers = new Map<string, Float32Array>();
  const bufferOf = (slot: string, length: number): Float32Array => {
    const known = buffers.get(slot);
    if (known?.length === length) return known;
    const fresh = new Float32Array(length);
    buffers.set(slot, fresh);
    return fresh;
  };
  return {
    async read(layer) {
      const weights: Record<string, Float32Array> = {};
      for (const { slot, name, shape } of architecture.layerTensors(layer)) {
        const buffer = bufferOf(
          slot,
          shape.reduce((product, n) => product * n, 1),
        );
        weights[slot] = await checkpoint.read(name, buffer);
        if (checkFinite) requireFinite(name, weights[slot]);
      }
      return weights;
    },
  };
}
