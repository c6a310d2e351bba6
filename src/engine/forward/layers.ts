import type { Tensor } from "onnxruntime-node";
import type { Architecture } from "../architecture/types.ts";
import { floats, openSession, type Provider, type Session, type SessionOptions } from "./session.ts";
import type { HiddenBatch, LayerWeights, Taps } from "./types.ts";

/** Bytes that attention's scores of one block of queries may take. */
const MAX_SCORE_BYTES = 64 * 2 ** 20;
/** Queries of one block on the CPU. Measured (docs/forward.md): a fifth faster at 2,048 tokens than one block. */
const CPU_QUERY_BLOCK = 128;
/** Tokens that go through a layer at once: enough for the matrix products to run at full speed, few enough to bound memory. */
const MAX_TOKENS_PER_RUN = 4096;

export interface Layers {
  /** One decoder layer; fills `taps` where they are given. The input is not changed. */
  run(layer: number, hidden: HiddenBatch, weights: LayerWeights, taps?: Taps): Promise<HiddenBatch>;
  close(): Promise<void>;
}

/** The decoder layers of an architecture, a few windows at a time, with one session per kind of graph. */
export function createLayers(architecture: Architecture, options: SessionOptions): Layers {
  const { hiddenSize, intermediateSize } = architecture.facts;
  const sessions = new Map<string, Promise<Session>>();
  const tables = createTables(architecture);

  function session(taps: boolean, queryBlocks: number): Promise<Session> {
    const key = `${taps} ${queryBlocks}`;
    const opened = sessions.get(key) ?? openSession(architecture.layerGraph({ taps, queryBlocks }), options);
    sessions.set(key, opened);
    return opened;
  }

  return {
    run: async (layer, hidden, weights, taps) => {
      const { batch, sequence } = hidden;
      const windows = Math.max(1, Math.min(batch, Math.floor(MAX_TOKENS_PER_RUN / sequence)));
      const opened = await session(
        taps !== undefined,
        queryBlocks(architecture, windows, sequence, options.provider),
      );
      const shared = { ...weightTensors(architecture, layer, weights), ...tables(layer, sequence) };
      const data = new Float32Array(hidden.data.length);
      for (let first = 0; first < batch; first += windows) {
        const count = Math.min(windows, batch - first);
        const part = (all: Float32Array, width: number): Tensor =>
          floats(all.subarray(first * sequence * width, (first + count) * sequence * width), [
            count,
            sequence,
            width,
          ]);
        const tapped = taps && {
          down_input: part(taps.input, intermediateSize),
          down_output: part(taps.output, hiddenSize),
        };
        await opened.run(
          { hidden: part(hidden.data, hiddenSize), ...shared },
          { hidden_out: part(data, hiddenSize), ...tapped },
        );
      }
      return { ...hidden, data };
    },
    close: async () => {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.release();
    },
  };
}

/**
 * Blocks of queries, a power of two, so that few sessions are needed: enough to bound the scores' memory; on the CPU also
 * enough to leave out most keys that the mask would hide, which an accelerator would pay for in small launches.
 */
function queryBlocks({ facts }: Architecture, windows: number, sequence: number, provider: Provider): number {
  const scoreBytes = windows * facts.heads * sequence * sequence * Float32Array.BYTES_PER_ELEMENT;
  const longestBlock = provider === "cpu" ? CPU_QUERY_BLOCK : sequence;
  let blocks = 1;
  while (
    (scoreBytes / blocks > MAX_SCORE_BYTES || sequence / blocks > longestBlock) &&
    blocks * 2 <= sequence
  )
    blocks *= 2;
  return blocks;
}

/** The layer's weights as graph inputs. A slot without weights, or of another length, is a mistake of the caller. */
function weightTensors(
  architecture: Architecture,
  layer: number,
  weights: LayerWeights,
): Record<string, Tensor> {
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
