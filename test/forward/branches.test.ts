import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { embedBatches, planBatches } from "#engine/evaluate/stream/hiddenStates.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { TokenWindow } from "#engine/evaluate/windows/windowSet.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { expectSum, float32Bound, sumsOf } from "../support/rounding.ts";

const CONTEXT = [3, 9, 1];
const BRANCHES = [
  [4, 5],
  [8, 2],
];
const LONG = Array.from({ length: 24 }, (_, i) => (i * 7) % 60);

const window = (ids: readonly number[], parents?: readonly number[]): TokenWindow => ({
  document: 0,
  ids: Int32Array.from(ids),
  labels: new Int32Array(ids.length).fill(-1),
  lead: 0,
  ...(parents ? { parents: Int32Array.from(parents) } : {}),
});

/** Hidden states behind the last layer, window by window: [window][token][channel]. */
async function statesOf(engine: Engine, windows: readonly TokenWindow[]): Promise<number[][][]> {
  const plan = planBatches({ windows, scored: 0 });
  const { hiddenSize, layers } = engine.architecture.facts;
  const reader = createLayerReader(engine);
  let batches = await embedBatches(engine, plan);
  for (let layer = 0; layer < layers; layer++) {
    const weights = await reader.read(layer);
    batches = await Promise.all(batches.map((batch) => engine.forward.layer(layer, batch, weights)));
  }
  const states: number[][][] = [];
  plan.batches.forEach((members, b) =>
    members.forEach((index, w) => {
      const { data, sequence } = batches[b];
      states[index] = Array.from(windows[index].ids, (_, t) => {
        const begin = (w * sequence + t) * hiddenSize;
        return Array.from(data.subarray(begin, begin + hiddenSize));
      });
    }),
  );
  return states;
}

/* A sliding window of 7 tokens, angles that depend on the length, windows of some layers alone: whatever a batch shares. */
describe("a window that branches, beside one that is longer", () => {
  it.each([
    "mistral-window",
    "llama-dynamic-beyond",
    "llama-yarn",
    "llama-grouped-f16",
    "qwen2-window-layers",
    "phi3-longrope-long",
    "phi3-partial",
  ])("on %s gives each branch the states that it has alone", async (name) => {
    const checkpoint = await openCheckpoint(join(import.meta.dirname, "../golden/transformers", name));
    const architecture = architectureOf(checkpoint);
    const forward = await createForward(architecture, { device: "cpu", threads: 1 });
    const engine = { checkpoint, architecture, forward };

    const alone = await statesOf(engine, [
      ...BRANCHES.map((own) => window([...CONTEXT, ...own])),
      window(LONG),
    ]);
    const tree = window([...CONTEXT, ...BRANCHES.flat()], [-1, 0, 1, 2, 3, 2, 5]);
    const [together, long] = await statesOf(engine, [tree, window(LONG)]);

    const expected = [...alone[0], ...alone[1].slice(CONTEXT.length)];
    const within = float32Bound({ magnitude: size(expected), ...sumsOf(architecture.facts) });
    expectSum(largest(together, expected), 0, within, "the branches");
    expectSum(largest(long, alone[2]), 0, within, "the longer window");
    await forward.close();
    await checkpoint.close();
  });
});

function size(states: readonly number[][]): number {
  return Math.max(...states.flat().map(Math.abs));
}

function largest(found: readonly number[][], expected: readonly number[][]): number {
  expect(found.length).toBe(expected.length);
  return Math.max(...found.flatMap((row, t) => row.map((value, i) => Math.abs(value - expected[t][i]))));
}
