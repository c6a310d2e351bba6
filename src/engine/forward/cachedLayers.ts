import type { Architecture, LayerGraphOptions } from "#engine/architecture/decoder/architecture.ts";
import { channelTensors, inputOptions, queryBlocks, weightTensors } from "./layers.ts";
import { floats, openSession, type Session, type SessionOptions } from "./session.ts";
import type { Forward, LayerCache } from "./forward.ts";

export interface CachedLayers {
  run: Forward["layerWithCache"];
  close(): Promise<void>;
}

/** The decoder layers of an architecture over one text that grows: keys and values of its earlier tokens are kept. */
export function createCachedLayers(architecture: Architecture, options: SessionOptions): CachedLayers {
  const { hiddenSize, keyValueHeads, headSize } = architecture.facts;
  const sessions = new Map<string, Promise<Session>>();

  function session(graph: LayerGraphOptions): Promise<Session> {
    const key = JSON.stringify(graph);
    const opened = sessions.get(key) ?? openSession(architecture.layerGraph(graph), options);
    sessions.set(key, opened);
    return opened;
  }

  const cacheTensors = (name: string, { tokens, keys, values }: LayerCache) => {
    const shape = [1, keyValueHeads, tokens, headSize];
    return { [`${name}_keys`]: floats(keys, shape), [`${name}_values`]: floats(values, shape) };
  };

  /** All layers and texts of one step turn by the same. */
  let kept: { total: number; before: number; tables: ReturnType<Architecture["rotary"]> } | null = null;
  const angles = (total: number, before: number) => {
    if (kept?.total !== total || kept.before !== before)
      kept = { total, before, tables: architecture.rotary(total, before) };
    return kept.tables;
  };

  return {
    run: async (layer, hidden, weights, past, inputs) => {
      const { sequence } = hidden;
      const before = past?.tokens ?? 0;
      const total = before + sequence;
      const opened = await session({
        taps: false,
        cache: past ? "append" : "begin",
        ...(past ? {} : { queryBlocks: queryBlocks(architecture, 1, sequence, options.provider) }),
        ...(inputs ? { activations: inputOptions(inputs) } : {}),
      });
      const { cos, sin } = angles(total, before);
      const half = cos.length / sequence;
      const size = keyValueHeads * total * headSize;
      const cache = { tokens: total, keys: new Float32Array(size), values: new Float32Array(size) };
      const data = new Float32Array(sequence * hiddenSize);
      await opened.run(
        {
          hidden: floats(hidden.data, [1, sequence, hiddenSize]),
          ...weightTensors(architecture, layer, weights),
          ...channelTensors(inputs),
          cos: floats(cos, [sequence, half]),
          sin: floats(sin, [sequence, half]),
          mask: floats(architecture.mask(layer, total, before), [sequence, total]),
          ...(past ? cacheTensors("past", past) : {}),
        },
        { hidden_out: floats(data, [1, sequence, hiddenSize]), ...cacheTensors("present", cache) },
      );
      return { hidden: { ...hidden, data }, cache };
    },
    close: async () => {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.release();
    },
  };
}
