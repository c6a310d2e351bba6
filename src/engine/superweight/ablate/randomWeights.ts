import type { Coordinate } from "#shared/recipe.ts";
import type { LayerTensor } from "#engine/architecture/decoder/architecture.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { WeightEdit } from "#engine/evaluate/stream/variant.ts";
import { scaleWeights } from "./edits.ts";
import { decoderWeights } from "./largestWeights.ts";

/** One weight of a decoder linear. */
export interface DrawnWeight {
  readonly layer: number;
  readonly tensor: LayerTensor;
  readonly row: number;
  readonly column: number;
  /** row · columns + column. */
  readonly index: number;
}

/**
 * Draws `count` different weights uniformly from the linears of all decoder layers, the super weights left out, and returns the
 * edits that prune them. The same seed gives the same weights on every machine.
 */
export function pruneRandom(
  engine: Pick<Engine, "architecture">,
  count: number,
  superWeights: readonly Coordinate[],
  seed: number,
): Map<string, WeightEdit[]> {
  const edits = new Map<string, WeightEdit[]>();
  for (const { tensor, index } of drawWeights(engine, count, seed, superWeights))
    edits.set(tensor.name, [...(edits.get(tensor.name) ?? []), { index, factor: 0 }]);
  return edits;
}

/** `count` different weights, drawn uniformly from the linears of all decoder layers, those of `without` left out. */
export function drawWeights(
  { architecture }: Pick<Engine, "architecture">,
  count: number,
  seed: number,
  without: readonly Coordinate[] = [],
): DrawnWeight[] {
  const excluded = scaleWeights(architecture, without, 0);
  const total = decoderWeights({ architecture });
  const tensors = linears(architecture);
  const draw = generator(seed);
  const most = Math.min(count, total - without.length);
  const taken = new Set<string>();
  const drawn: DrawnWeight[] = [];
  while (drawn.length < most) {
    const weight = locate(tensors, Math.floor(draw() * total));
    const { name } = weight.tensor;
    const place = `${name} ${weight.index}`;
    if (taken.has(place) || excluded.get(name)?.some(({ index }) => index === weight.index)) continue;
    taken.add(place);
    drawn.push(weight);
  }
  return drawn;
}

function linears(architecture: Engine["architecture"]): { layer: number; tensor: LayerTensor }[] {
  return Array.from({ length: architecture.facts.layers }, (_, layer) =>
    architecture.layerTensors(layer).map((tensor) => ({ layer, tensor })),
  )
    .flat()
    .filter(({ tensor }) => tensor.kind === "linear");
}

/** The tensor and place of the n-th weight of all. */
function locate(tensors: ReturnType<typeof linears>, n: number): DrawnWeight {
  let index = n;
  for (const { layer, tensor } of tensors) {
    const weights = tensor.shape.reduce((product, size) => product * size, 1);
    if (index < weights) {
      const columns = tensor.shape[1];
      return { layer, tensor, index, row: Math.floor(index / columns), column: index % columns };
    }
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
