import { Tensor } from "onnxruntime-node";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { expertOf, type LayerWeights, type WatchExperts } from "./forward.ts";
import { floats, openSession, type Session, type SessionOptions } from "./session.ts";

/** What a layer's graph says of its experts, for `tokens` tokens: Architecture.layerGraph. */
export interface Routing {
  /** (tokens, hidden) */
  readonly input: Float32Array;
  /** (tokens, perToken) */
  readonly chosen: BigInt64Array;
  readonly shares: Float32Array;
}

/** What is asked of a layer's experts beside their sum. */
export interface ExpertExtras {
  /** Rises by what the experts add: (tokens, hidden). */
  readonly output?: Float32Array | undefined;
  readonly watch?: WatchExperts | undefined;
  /** By expert: rises by the tokens that it got. */
  readonly reached?: Uint32Array | undefined;
}

export interface Experts {
  /**
   * Adds to `hidden` (tokens, hidden) what the experts of a layer give: each expert's matrices are read once, if any token reached it,
   * and its tokens go through it together.
   * @param isToken false for padding, which reaches no expert
   */
  add(
    layer: number,
    hidden: Float32Array,
    routing: Routing,
    weights: LayerWeights,
    isToken: (row: number) => boolean,
    extras?: ExpertExtras,
  ): Promise<void>;
  close(): Promise<void>;
}

/** The experts of an architecture's layers, one after the other. */
export function createExperts(architecture: Architecture, options: SessionOptions): Experts {
  const { hiddenSize } = architecture.facts;
  const sessions = new Map<string, Promise<Session>>();

  function session(layer: number, taps: boolean): Promise<Session> {
    const key = JSON.stringify([architecture.kindOf(layer), taps]);
    const opened = sessions.get(key) ?? openSession(architecture.expertGraph(layer, { taps }), options);
    sessions.set(key, opened);
    return opened;
  }

  return {
    add: async (layer, hidden, routing, weights, isToken, { output, watch, reached } = {}) => {
      const { body, residual } = architecture.description.layers[layer].mlp;
      for (const [expert, { rows, shares }] of tokensOf(routing, hidden.length / hiddenSize, isToken)) {
        const own = await expertOf(weights, expert);
        const opened = await session(layer, watch !== undefined);
        const results = {
          down_output: new Float32Array(rows.length * hiddenSize),
          ...(watch ? { down_input: new Float32Array(rows.length * body.width) } : {}),
        };
        await opened.run(
          {
            x: floats(gather(routing.input, rows, hiddenSize), [rows.length, hiddenSize]),
            ...expertTensors(architecture, layer, own),
          },
          Object.fromEntries(
            Object.entries(results).map(([name, data]) => [
              name,
              floats(data, [rows.length, data.length / rows.length]),
            ]),
          ),
        );
        scatter(hidden, results.down_output, rows, shares, residual);
        if (output) scatter(output, results.down_output, rows, shares, 1);
        if (reached) reached[expert] += rows.length;
        const { down_output: out, down_input: input = new Float32Array(0) } = results;
        watch?.({ expert, rows, shares, input, output: out, weights: own });
      }
    },
    close: async () => {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.release();
    },
  };
}

/** By expert, in their order: the tokens that chose it, and by how much. */
function tokensOf(
  { chosen, shares }: Routing,
  tokens: number,
  isToken: (row: number) => boolean,
): [number, { rows: Int32Array; shares: Float32Array }][] {
  const perToken = chosen.length / tokens;
  const byExpert = new Map<number, { rows: number[]; shares: number[] }>();
  for (let row = 0; row < tokens; row++) {
    if (!isToken(row)) continue;
    for (let i = row * perToken; i < (row + 1) * perToken; i++) {
      const expert = Number(chosen[i]);
      const found = byExpert.get(expert) ?? { rows: [], shares: [] };
      byExpert.set(expert, found);
      found.rows.push(row);
      found.shares.push(shares[i]);
    }
  }
  return [...byExpert]
    .sort(([a], [b]) => a - b)
    .map(([expert, found]) => [
      expert,
      { rows: Int32Array.from(found.rows), shares: Float32Array.from(found.shares) },
    ]);
}

function gather(all: Float32Array, rows: Int32Array, width: number): Float32Array {
  const picked = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    picked.set(all.subarray(row * width, (row + 1) * width), i * width);
  });
  return picked;
}

/** into[row] += factor · share · values[i], row by row. */
function scatter(
  into: Float32Array,
  values: Float32Array,
  rows: Int32Array,
  shares: Float32Array,
  factor: number,
): void {
  const width = values.length / rows.length;
  rows.forEach((row, i) => {
    const weight = factor * shares[i];
    const [to, from] = [row * width, i * width];
    for (let c = 0; c < width; c++) into[to + c] += weight * values[from + c];
  });
}

function expertTensors(
  architecture: Architecture,
  layer: number,
  weights: Readonly<Record<string, Float32Array>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    architecture.expertTensors(layer, 0).flatMap(({ shape, expert }) => {
      if (!expert) return [];
      return [[expert.slot, floats(weights[expert.slot], shape)]];
    }),
  );
}
