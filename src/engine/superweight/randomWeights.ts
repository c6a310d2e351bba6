import type { Coordinate } from "#shared/recipe.ts";
import type { Engine, WeightEdit } from "../evaluate/types.ts";
import { scaleWeights } from "./edits.ts";
import { decoderWeights } from "./largestWeights.ts";

/**
 * Draws `count` different weights uniformly from the linears of all decoder layers, the super weights left out, and returns the
 * edits that prune them. The same seed gives the same weights on every machine.
 */
export function pruneRandom(
  { architecture }: Pick<Engine, "architecture">,
  count: number,
  superWeights: readonly Coordinate[],
  seed: number,
): Map<string, WeightEdit[]> {
  const excluded = scaleWeights(architecture, superWeights, 0);
  const total = decoderWeights({ architecture });
  const edits = new Map<string, WeightEdit[]>();
  const tensors = linears(architecture);
  const draw = generator(seed);
  const most = Math.min(count, total - superWeights.length);
  for (let drawn = 0; drawn < most;) {
    const { name, index } = locate(tensors, Math.floor(draw() * total));
    const taken = edits.get(name) ?? [];
    if ([...(excluded.get(name) ?? []), ...taken].some((edit) => edit.index === index)) continue;
    edits.set(name, [...taken, { index, factor: 0 }]);
    drawn++;
  }
  return edits;
}

interface Linear {
  readonly name: string;
  readonly weights: number;
}

function linears(architecture: Engine["architecture"]): Linear[] {
  return Array.from({ length: architecture.facts.layers }, (_, layer) => architecture.layerTensors(layer))
    .flat()
    .filter(({ kind }) => kind === "linear")
    .map(({ name, shape }) => ({ name, weights: shape.reduce((product, n) => product * n, 1) }));
}

/** The tensor and index of the n-th weight of all. */
function locate(tensors: readonly Linear[], n: number): { name: string; index: number } {
  let index = n;
  for (const { name, weights } of tensors) {
    if (index < weights) return { name, index };
    index -= weights;
  }
  throw new Error(`there is no weight number ${n}`);
}

/** Numbers in [0, 1) of 53 bits, two draws of mulberry32 each: enough to reach every weight of the largest model. */
function generator(seed: number): () => number {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}
