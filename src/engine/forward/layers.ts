import { Tensor } from "onnxruntime-node";
import type { InputOptions } from "#engine/architecture/inputs/quantizedInputs.ts";
import { perWindow } from "#engine/architecture/inputs/perWindow.ts";
import type { InputMaxima } from "#engine/recipe/activationPlan.ts";
import type { InputQuantization } from "#engine/architecture/inputs/inputQuantization.ts";
import type { Architecture, LayerGraphOptions } from "#engine/architecture/decoder/architecture.ts";
import { branchTables } from "./branchTables.ts";
import {
  floats,
  longIntegers,
  openSession,
  type Provider,
  type Session,
  type SessionOptions,
} from "./session.ts";
import { createExperts, type Routing } from "./experts.ts";
import type { HiddenBatch, LayerWeights, Taps, WatchExperts } from "./forward.ts";
import { cutRows, windowRuns, type Rows, type WindowRun } from "./windowRuns.ts";

/** Bytes that attention's scores of one block of queries may take. */
const MAX_SCORE_BYTES = 64 * 2 ** 20;
/** Queries of one block on the CPU. Measured (docs/forward.md): a fifth faster at 2,048 tokens than one block. */
const CPU_QUERY_BLOCK = 128;
/** Tokens that go through a layer at once: enough for the matrix products to run at full speed, few enough to bound memory. */
const MAX_TOKENS_PER_RUN = 4096;

/** What a run of a layer is asked beside the next hidden states. */
export interface LayerExtras {
  /** Filled with down_proj's input and output. */
  readonly taps?: Taps | undefined;
  /** Raised to the normed inputs' max |x| where that is larger. */
  readonly maxima?: InputMaxima | undefined;
  /** Filled with what goes into each linear, by slot: (batch, sequence, in). */
  readonly linearInputs?: Readonly<Record<string, Float32Array>> | undefined;
  /** How the linears' inputs are quantized. */
  readonly inputs?: InputQuantization | undefined;
  /** Of a layer with experts. */
  readonly watch?: WatchExperts | undefined;
  readonly reached?: Uint32Array | undefined;
}

export interface Layers {
  /** One decoder layer. The input is not changed. */
  run(layer: number, hidden: HiddenBatch, weights: LayerWeights, extras?: LayerExtras): Promise<HiddenBatch>;
  close(): Promise<void>;
}

/** The decoder layers of an architecture, a few windows at a time, with one session per kind of graph. */
export function createLayers(architecture: Architecture, options: SessionOptions): Layers {
  const { hiddenSize } = architecture.facts;
  const experts = createExperts(architecture, options);
  const sessions = new Map<string, Promise<Session>>();
  const tables = createTables(architecture);
  const positions = (layer: number, hidden: HiddenBatch, run: WindowRun): Record<string, Tensor> =>
    hidden.parents
      ? branchTables(architecture, layer, hidden, run)
      : tables(layer, run.length, hidden.sequence);

  function session(layer: number, graph: LayerGraphOptions): Promise<Session> {
    const key = JSON.stringify([architecture.kindOf(layer), graph]);
    const opened = sessions.get(key) ?? openSession(architecture.layerGraph(layer, graph), options);
    sessions.set(key, opened);
    return opened;
  }

  return {
    run: async (layer, hidden, weights, { taps, maxima, linearInputs, inputs, watch, reached } = {}) => {
      const { sequence } = hidden;
      const isRouted = architecture.expertsOf(layer) > 0;
      const { width } = architecture.description.layers[layer].mlp.body;
      const shared = { ...weightTensors(architecture, layer, weights), ...channelTensors(inputs) };
      const data = new Float32Array(hidden.data.length);
      const exact = maxima !== undefined || (inputs !== undefined && perWindow(inputs));
      for (const run of windowRuns(hidden, MAX_TOKENS_PER_RUN, exact)) {
        const opened = await session(layer, {
          taps: taps !== undefined,
          queryBlocks: queryBlocks(architecture, run.count, run.length, options.provider),
          ...(maxima ? { maxima: true } : {}),
          ...(linearInputs ? { linearInputs: true } : {}),
          ...(inputs ? { activations: inputOptions(inputs) } : {}),
          ...(hidden.parents ? { branching: true } : {}),
        });
        const rows = (all: Float32Array, width: number): Rows => cutRows(all, width, sequence, run);
        const tensor = ({ values }: Rows, width: number): Tensor =>
          floats(values, [run.count, run.length, width]);
        const [input, output] = [rows(hidden.data, hiddenSize), rows(data, hiddenSize)];
        const tapped = taps &&
          !isRouted && { down_input: rows(taps.input, width), down_output: rows(taps.output, hiddenSize) };
        const routing = isRouted ? routingOf(architecture, layer, run) : null;
        const entering = architecture.layerTensors(layer).flatMap(({ slot, shape }) => {
          const into = linearInputs?.[slot];
          return into ? [{ name: `${slot}_input`, width: shape[1], values: rows(into, shape[1]) }] : [];
        });
        const largest = maxima && {
          attention: new Float32Array(hiddenSize),
          mlp: new Float32Array(hiddenSize),
        };
        await opened.run(
          { hidden: tensor(input, hiddenSize), ...shared, ...positions(layer, hidden, run) },
          {
            hidden_out: tensor(output, hiddenSize),
            ...(tapped && {
              down_input: tensor(tapped.down_input, width),
              down_output: tensor(tapped.down_output, hiddenSize),
            }),
            ...(routing && routingTensors(routing, run)),
            ...Object.fromEntries(entering.map(({ name, values, width }) => [name, tensor(values, width)])),
            ...(largest && {
              attention_maxima: floats(largest.attention, [hiddenSize]),
              mlp_maxima: floats(largest.mlp, [hiddenSize]),
            }),
          },
        );
        if (routing) {
          const sum = taps && rows(taps.output, hiddenSize);
          const isToken = (row: number): boolean =>
            row % run.length < hidden.lengths[run.first + Math.floor(row / run.length)];
          const extras = { output: sum?.values, watch: watch && placed(watch, run, sequence), reached };
          await experts.add(layer, output.values, routing, weights, isToken, extras);
          sum?.putBack();
        }
        if (tapped) for (const each of [tapped.down_input, tapped.down_output]) each.putBack();
        output.putBack();
        for (const { values } of entering) values.putBack();
        if (maxima && largest) raise(maxima, largest);
      }
      return { ...hidden, data };
    },
    close: async () => {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.release();
      await experts.close();
    },
  };
}

/** Memory for what a layer's graph says of its experts. */
export function routingOf(
  architecture: Architecture,
  layer: number,
  { count, length }: Pick<WindowRun, "count" | "length">,
): Routing {
  const { experts } = architecture.description.layers[layer].mlp.body;
  const choices = count * length * (experts?.router.perToken ?? 0);
  return {
    input: new Float32Array(count * length * architecture.facts.hiddenSize),
    chosen: new BigInt64Array(choices),
    shares: new Float32Array(choices),
  };
}

/** The same as results of the graph. */
export function routingTensors(
  { input, chosen, shares }: Routing,
  { count, length }: Pick<WindowRun, "count" | "length">,
): Record<string, Tensor> {
  const shapeOf = ({ length: values }: { readonly length: number }) => [
    count,
    length,
    values / (count * length),
  ];
  return {
    experts_input: floats(input, shapeOf(input)),
    shares: floats(shares, shapeOf(shares)),
    chosen: new Tensor("int64", chosen, shapeOf(chosen)),
  };
}

/** Tells a run's rows as those of the whole batch. */
function placed(watch: WatchExperts, { first, length }: WindowRun, sequence: number): WatchExperts {
  return (tap) => {
    const rows = tap.rows.map((row) => (first + Math.floor(row / length)) * sequence + (row % length));
    watch({ ...tap, rows });
  };
}

/** How a graph is told of the quantization of its linears' inputs. */
export function inputOptions({
  bits,
  per,
  matmuls,
  residualChannels,
  downChannels,
}: InputQuantization): InputOptions {
  const channels = { residualChannels: residualChannels.length > 0, downChannels: downChannels.length > 0 };
  return { bits, per, matmuls, ...channels };
}

/** Channels of super activations as graph inputs, where there are any. */
export function channelTensors(inputs: InputQuantization | undefined): Record<string, Tensor> {
  const given = {
    residual_channels: inputs?.residualChannels ?? [],
    down_channels: inputs?.downChannels ?? [],
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, channels]) =>
      channels.length > 0 ? [[name, longIntegers(channels)]] : [],
    ),
  );
}

function raise(maxima: InputMaxima, seen: InputMaxima): void {
  for (const input of ["attention", "mlp"] as const)
    seen[input].forEach((value, i) => {
      maxima[input][i] = Math.max(maxima[input][i], value);
    });
}

/**
 * Blocks of queries, a power of two, so that few sessions are needed: enough to bound the scores' memory; on the CPU also
 * enough to leave out most keys that the mask would hide, which an accelerator would pay for in small launches.
 */
export function queryBlocks(
  { facts }: Architecture,
  windows: number,
  sequence: number,
  provider: Provider,
): number {
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
export function weightTensors(
  architecture: Architecture,
  layer: number,
  weights: LayerWeights,
): Record<string, Tensor> {
  return Object.fromEntries(
    architecture.layerTensors(layer).flatMap(({ slot, name, shape, expert }) => {
      if (expert) return [];
      const data = weights[slot];
      if (data === undefined) throw new Error(`no weights for slot ${slot} (${name})`);
      return [[slot, floats(data, shape)]];
    }),
  );
}

/**
 * Position tables and mask of the first `length` positions; angles are those of a batch of `sequence` (some depend on it). The
 * last sequence's are kept by kind of layer: windows of one evaluation have one length but for a document's last.
 */
function createTables(
  architecture: Architecture,
): (layer: number, length: number, sequence: number) => Record<string, Tensor> {
  const kept = new Map<number, { sequence: number; tables: [string, Float32Array][] }>();
  const tablesOf = (layer: number, sequence: number) => {
    const found = kept.get(architecture.kindOf(layer));
    if (found?.sequence === sequence) return found.tables;
    const tables = Object.entries(architecture.positionTables(layer, sequence));
    kept.set(architecture.kindOf(layer), { sequence, tables });
    return tables;
  };
  return (layer, length, sequence) => {
    const first = (table: Float32Array): Tensor => {
      const width = table.length / sequence;
      return floats(table.subarray(0, length * width), [length, width]);
    };
    return {
      ...Object.fromEntries(tablesOf(layer, sequence).map(([name, table]) => [name, first(table)])),
      mask: floats(architecture.mask(layer, length), [length, length]),
    };
  };
}
