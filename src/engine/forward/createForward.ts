import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { DeviceName } from "#shared/device.ts";
import type { Architecture } from "../architecture/types.ts";
import { chooseDevice } from "./chooseDevice.ts";
import { embed } from "./embed.ts";
import { createHead } from "./head.ts";
import { floats, openSession } from "./session.ts";
import type { Forward, HiddenBatch, LayerWeights, Taps } from "./types.ts";

export interface ForwardOptions {
  readonly device: DeviceName;
  /** Threads of the CPU provider. */
  readonly threads: number;
}

/** Bytes that attention's scores of one block of queries may take. */
const MAX_SCORE_BYTES = 64 * 2 ** 20;
/** Tokens that go through a layer at once: enough for the matrix products to run at full speed, few enough to bound memory. */
const MAX_TOKENS_PER_RUN = 4096;

/**
 * Opens the forward pass of one architecture on one device. Sessions are made when they are first needed and serve every
 * layer and variant, since weights are inputs.
 * @throws KeystoneError device/unavailable where the device that was asked for is not there
 */
export async function createForward(architecture: Architecture, options: ForwardOptions): Promise<Forward> {
  const device = await chooseDevice(options);
  const sessionOptions = { provider: device.used, threads: options.threads };
  const layerSessions = new Map<string, Promise<InferenceSession>>();
  const tables = createTables(architecture);
  const head = createHead(architecture, sessionOptions);

  function layerSession(taps: boolean, queryBlocks: number): Promise<InferenceSession> {
    const key = `${taps} ${queryBlocks}`;
    const known = layerSessions.get(key);
    if (known) return known;
    const session = openSession(architecture.layerGraph({ taps, queryBlocks }), sessionOptions);
    layerSessions.set(key, session);
    return session;
  }

  async function runLayer(layer: number, hidden: HiddenBatch, weights: LayerWeights, tapBuffers?: Taps): Promise<HiddenBatch> {
    const { hiddenSize, intermediateSize } = architecture.facts;
    const { batch, sequence } = hidden;
    const windows = Math.max(1, Math.min(batch, Math.floor(MAX_TOKENS_PER_RUN / sequence)));
    const session = await layerSession(tapBuffers !== undefined, queryBlocks(architecture, windows, sequence));
    const shared = { ...weightTensors(architecture, layer, weights), ...tables(layer, sequence) };
    const data = new Float32Array(hidden.data.length);
    for (let first = 0; first < batch; first += windows) {
      const count = Math.min(windows, batch - first);
      const part = (all: Float32Array, width: number): Tensor =>
        floats(all.subarray(first * sequence * width, (first + count) * sequence * width), [count, sequence, width]);
      const taps = tapBuffers && {
        down_input: part(tapBuffers.input, intermediateSize),
        down_output: part(tapBuffers.output, hiddenSize),
      };
      await session.run({ hidden: part(hidden.data, hiddenSize), ...shared }, { hidden_out: part(data, hiddenSize), ...taps });
    }
    return { ...hidden, data };
  }

  return {
    device,
    embed: (checkpoint, windows) => embed(architecture, checkpoint, windows),
    layer: (layer, hidden, weights) => runLayer(layer, hidden, weights),
    layerWithTaps: async (layer, hidden, weights) => {
      const tokens = hidden.batch * hidden.sequence;
      const { hiddenSize, intermediateSize } = architecture.facts;
      const taps = { input: new Float32Array(tokens * intermediateSize), output: new Float32Array(tokens * hiddenSize) };
      return { hidden: await runLayer(layer, hidden, weights, taps), taps };
    },
    logits: head.logits,
    logProbabilities: head.logProbabilities,
    score: head.score,
    judge: head.judge,
    close: async () => {
      const open = await Promise.allSettled(layerSessions.values());
      layerSessions.clear();
      for (const result of open) if (result.status === "fulfilled") await result.value.release();
      await head.close();
    },
  };
}

/** Blocks of queries, a power of two, so that few sessions are needed. */
function queryBlocks(architecture: Architecture, windows: number, sequence: number): number {
  const scoreBytes = windows * architecture.facts.heads * sequence * sequence * Float32Array.BYTES_PER_ELEMENT;
  let blocks = 1;
  while (scoreBytes / blocks > MAX_SCORE_BYTES && blocks * 2 <= sequence) blocks *= 2;
  return blocks;
}

/** The layer's weights as graph inputs. A slot without weights, or of another length, is a mistake of the caller. */
function weightTensors(architecture: Architecture, layer: number, weights: LayerWeights): Record<string, Tensor> {
  return Object.fromEntries(
    architecture.layerTensors(layer).map(({ slot, name, shape }) => {
      const data = weights[slot];
      if (data === undefined) throw new Error(`no weights for slot ${slot} (${name})`);
      return [slot, floats(data, shape)];
    }),
  );
}

/** cos, sin and mask for a length, kept for the last length: windows of one evaluation have one length but for the last. */
function createTables(architecture: Architecture): (layer: number, length: number) => Record<string, Tensor> {
  let kept: { length: number; cos: Tensor; sin: Tensor; masks: Map<Float32Array, Tensor> } | null = null;
  return (layer, length) => {
    if (kept?.length !== length) {
      const { cos, sin } = architecture.rotary(length);
      const shape = [length, cos.length / length];
      kept = { length, cos: floats(cos, shape), sin: floats(sin, shape), masks: new Map() };
    }
    const data = architecture.mask(layer, length);
    const mask = kept.masks.get(data) ?? floats(data, [length, length]);
    kept.masks.set(data, mask);
    return { cos: kept.cos, sin: kept.sin, mask };
  };
}
