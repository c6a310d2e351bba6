import type { Architecture, LayerGraphOptions } from "#engine/architecture/decoder/architecture.ts";
import { createExperts } from "./experts.ts";
import {
  channelTensors,
  inputOptions,
  queryBlocks,
  routingOf,
  routingTensors,
  weightTensors,
} from "./layers.ts";
import { floats, openSession, type Session, type SessionOptions } from "./session.ts";
import type { Forward, LayerCache } from "./forward.ts";

export interface CachedLayers {
  run: Forward["layerWithCache"];
  close(): Promise<void>;
}

/** The decoder layers of an architecture over one text that grows: keys and values of its earlier tokens are kept. */
export function createCachedLayers(architecture: Architecture, options: SessionOptions): CachedLayers {
  const { hiddenSize } = architecture.facts;
  const experts = createExperts(architecture, options);
  const sessions = new Map<string, Promise<Session>>();

  function session(layer: number, graph: LayerGraphOptions): Promise<Session> {
    const key = JSON.stringify([architecture.kindOf(layer), graph]);
    const opened = sessions.get(key) ?? openSession(architecture.layerGraph(layer, graph), options);
    sessions.set(key, opened);
    return opened;
  }

  const cacheTensors = (layer: number, name: string, { tokens, keys, values }: LayerCache) => {
    const { keyValueHeads, headSize } = architecture.description.layers[layer].attention.body;
    const shape = [1, keyValueHeads, tokens, headSize];
    return { [`${name}_keys`]: floats(keys, shape), [`${name}_values`]: floats(values, shape) };
  };

  /** All texts of one step have the same, and all layers of a kind. */
  const kept = new Map<number, { total: number; before: number; tables: [string, Float32Array][] }>();
  const positions = (layer: number, total: number, before: number) => {
    const found = kept.get(architecture.kindOf(layer));
    if (found?.total === total && found.before === before) return found.tables;
    const tables = Object.entries(architecture.positionTables(layer, total, before));
    kept.set(architecture.kindOf(layer), { total, before, tables });
    return tables;
  };

  return {
    run: async (layer, hidden, weights, past, inputs) => {
      const { sequence } = hidden;
      const before = past?.tokens ?? 0;
      const total = before + sequence;
      const opened = await session(layer, {
        taps: false,
        cache: past ? "append" : "begin",
        ...(past ? {} : { queryBlocks: queryBlocks(architecture, 1, sequence, options.provider) }),
        ...(inputs ? { activations: inputOptions(inputs) } : {}),
      });
      const { keyValueHeads, headSize } = architecture.description.layers[layer].attention.body;
      const size = keyValueHeads * total * headSize;
      const cache = { tokens: total, keys: new Float32Array(size), values: new Float32Array(size) };
      const data = new Float32Array(sequence * hiddenSize);
      const run = { count: 1, length: sequence };
      const routing = architecture.expertsOf(layer) > 0 ? routingOf(architecture, layer, run) : null;
      await opened.run(
        {
          hidden: floats(hidden.data, [1, sequence, hiddenSize]),
          ...weightTensors(architecture, layer, weights),
          ...channelTensors(inputs),
          ...Object.fromEntries(
            positions(layer, total, before).map(([name, table]) => [
              name,
              floats(table, [sequence, table.length / sequence]),
            ]),
          ),
          mask: floats(architecture.mask(layer, total, before), [sequence, total]),
          ...(past ? cacheTensors(layer, "past", past) : {}),
        },
        {
          hidden_out: floats(data, [1, sequence, hiddenSize]),
          ...(routing && routingTensors(routing, run)),
          ...cacheTensors(layer, "present", cache),
        },
      );
      if (routing) await experts.add(layer, data, routing, weights, () => true);
      return { hidden: { ...hidden, data }, cache };
    },
    close: async () => {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.release();
      await experts.close();
    },
  };
}
