import { decoder } from "#engine/architecture/decoder/decoder.ts";
import { llama } from "#engine/architecture/families/llama.ts";
import { createLayers } from "./layers.ts";
import { createHead } from "./head.ts";
import type { Provider } from "./session.ts";
import type { HiddenBatch, LayerWeights } from "./forward.ts";

/** A one-layer llama of random weights and the text length it runs on. */
export interface ProbeSize {
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly tokens: number;
}

/** 0.1 GFLOP: tells whether a device computes, and whether it is slower than a CPU by orders of magnitude. */
export const SMALL_PROBE: ProbeSize = {
  hidden: 256,
  intermediate: 704,
  heads: 8,
  vocabulary: 512,
  tokens: 64,
};
/** 7 GFLOP and 50 MB of weights, which travel to the device as they do in real passes: tells which device is faster. */
export const LARGE_PROBE: ProbeSize = {
  hidden: 1024,
  intermediate: 2816,
  heads: 16,
  vocabulary: 2048,
  tokens: 256,
};

export interface ProbeResult {
  readonly logits: Float32Array;
  /** Of the second run: the first one compiles. */
  readonly seconds: number;
}

/**
 * Runs layer and head of the probe model on a provider.
 * @throws what the runtime throws where the provider is not there or cannot run the graphs
 */
export async function runProbe(provider: Provider, threads: number, size: ProbeSize): Promise<ProbeResult> {
  const { hidden, intermediate, heads, vocabulary, tokens } = size;
  const architecture = decoder(
    llama.read({
      hidden_size: hidden,
      intermediate_size: intermediate,
      num_attention_heads: heads,
      num_key_value_heads: heads / 2,
      num_hidden_layers: 1,
      vocab_size: vocabulary,
    }),
  );
  const random = uniform(1);
  const weights: LayerWeights = Object.fromEntries(
    architecture.layerTensors(0).map(({ slot, kind, shape }) => {
      if (kind === "vector") return [slot, random(shape[0], 0.5, 1.5)];
      const bound = Math.sqrt(3 / shape[1]);
      return [slot, random(shape[0] * shape[1], -bound, bound)];
    }),
  );
  const bound = Math.sqrt(3 / hidden);
  const headWeights = { norm: random(hidden, 0.5, 1.5), head: random(vocabulary * hidden, -bound, bound) };
  const start: HiddenBatch = {
    data: random(tokens * hidden, -2, 2),
    batch: 1,
    sequence: tokens,
    lengths: [tokens],
  };

  const [layers, head] = [
    createLayers(architecture, { provider, threads }),
    createHead(architecture, { provider, threads }),
  ];
  try {
    const pass = async (): Promise<Float32Array> =>
      head.logits((await layers.run(0, start, weights)).data, headWeights);
    await pass();
    const begin = performance.now();
    const logits = await pass();
    return { logits, seconds: (performance.now() - begin) / 1000 };
  } finally {
    await layers.close();
    await head.close();
  }
}

/** Values in [low, high) from a small generator (mulberry32): the same on every machine. */
function uniform(seed: number): (count: number, low: number, high: number) => Float32Array {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return (count, low, high) => Float32Array.from({ length: count }, () => low + (high - low) * next());
}
