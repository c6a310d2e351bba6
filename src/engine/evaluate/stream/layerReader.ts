import { requireFinite } from "#engine/checkpoint/finite.ts";
import type { LayerTensor } from "#engine/architecture/decoder/architecture.ts";
import { EXPERTS, type LayerWeights } from "#engine/forward/forward.ts";
import type { Engine } from "./engine.ts";

/** Reads one layer after another into the same memory. */
export interface LayerReader {
  /** Weights of a layer by slot, f32. They are overwritten by the next call. Experts are read when they are asked for, one at a time. */
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
  /** @param use slots that are never in memory together share one */
  const readInto = async ({ name, shape }: LayerTensor, use: string): Promise<Float32Array> => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = await checkpoint.read(name, bufferOf(use, size));
    if (checkFinite) requireFinite(name, values);
    return values;
  };
  return {
    async read(layer) {
      const weights: Record<string, Float32Array> = {};
      const tensors = architecture.layerTensors(layer);
      for (const tensor of tensors)
        if (!tensor.expert) weights[tensor.slot] = await readInto(tensor, tensor.slot);
      if (architecture.expertsOf(layer) === 0) return weights;
      return {
        ...weights,
        [EXPERTS]: async (number) => {
          const own: Record<string, Float32Array> = {};
          for (const tensor of architecture.expertTensors(layer, number)) {
            const slot = tensor.expert?.slot ?? tensor.slot;
            own[slot] = await readInto(tensor, `experts.*.${slot}`);
          }
          return own;
        },
      };
    },
  };
}
