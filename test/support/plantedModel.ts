import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { Engine } from "../../src/engine/evaluate/stream/engine.ts";
import type { Forward, HiddenBatch } from "../../src/engine/forward/forward.ts";

/** One layer of a model that consists of down_proj alone: fixed inputs X, weights W, residual h + X·Wᵀ. */
export interface PlantedLayer {
  /** (tokens, intermediate) */
  readonly input: readonly (readonly number[])[];
  /** [row, column, value] of the weights that are not zero. */
  readonly weights: readonly (readonly [number, number, number])[];
}

export const HIDDEN = 3;
export const INTERMEDIATE = 4;
export const TOKENS = 2;

/** Which layers were run, in order; tests read it to see that layers before a zeroed weight rest. */
export interface Planted extends Engine {
  readonly ran: readonly number[];
  readonly tokenizer: Tokenizer;
}

/** A model for tests of detection in which every figure can be worked out by hand. Shape: layers × (HIDDEN, INTERMEDIATE). */
export function plantedModel(layers: readonly PlantedLayer[], shape: { layers?: number } = {}): Planted {
  const ran: number[] = [];
  const architecture = {
    facts: {
      layers: layers.length,
      hiddenSize: HIDDEN,
      intermediateSize: INTERMEDIATE,
      contextLength: 16,
      ...shape,
    },
    layerTensors: (layer: number) => [
      { slot: "down_proj", name: `down ${layer}`, kind: "linear", shape: [HIDDEN, INTERMEDIATE] },
    ],
    smoothGroups: () => [],
    expertsOf: () => 0,
    downProjection: (layer: number) => `down ${layer}`,
  };
  const checkpoint = {
    path: "/models/planted",
    fingerprint: "f",
    revision: "r",
    async read(name: string, out: Float32Array): Promise<Float32Array> {
      out.fill(0);
      for (const [row, column, value] of layers[Number(name.split(" ")[1])].weights)
        out[row * INTERMEDIATE + column] = value;
      return out;
    },
  };
  const forward = {
    device: { asked: "cpu", used: "cpu", reason: "", tried: [] },
    embed: async (): Promise<HiddenBatch> => ({
      data: new Float32Array(TOKENS * HIDDEN),
      batch: 1,
      sequence: TOKENS,
      lengths: [TOKENS],
    }),
    async layerWithTaps(layer: number, hidden: HiddenBatch, weights: Record<string, Float32Array>) {
      ran.push(layer);
      const input = Float32Array.from(layers[layer].input.flat());
      const output = multiply(input, weights.down_proj);
      return {
        hidden: { ...hidden, data: hidden.data.map((h, i) => h + output[i]) },
        taps: { input, output },
      };
    },
  };
  const tokenizer: Tokenizer = {
    encode: () => [7],
    decode: String,
    tokenText: (id) => `<${id}>`,
    bos: 1,
    eos: null,
    prefix: 1,
  };
  return {
    ran,
    tokenizer,
    architecture: architecture as unknown as Architecture,
    checkpoint: checkpoint as unknown as Checkpoint,
    forward: forward as unknown as Forward,
  };
}

function multiply(input: Float32Array, weight: Float32Array): Float32Array {
  const output = new Float32Array(TOKENS * HIDDEN);
  for (let t = 0; t < TOKENS; t++) {
    for (let row = 0; row < HIDDEN; row++) {
      for (let k = 0; k < INTERMEDIATE; k++)
        output[t * HIDDEN + row] += input[t * INTERMEDIATE + k] * weight[row * INTERMEDIATE + k];
    }
  }
  return output;
}
