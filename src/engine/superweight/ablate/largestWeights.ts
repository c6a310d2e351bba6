import type { Coordinate } from "#shared/recipe.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import type { Engine, Watch } from "#engine/evaluate/stream/engine.ts";
import type { WeightEdit } from "#engine/evaluate/stream/variant.ts";
import { expertOf } from "#engine/forward/forward.ts";
import { scaleWeights } from "./edits.ts";

interface Found {
  readonly magnitude: number;
  readonly name: string;
  readonly index: number;
}

/** Weights of all decoder linears. */
export function decoderWeights({ architecture }: Pick<Engine, "architecture">): number {
  let total = 0;
  for (let layer = 0; layer < architecture.facts.layers; layer++) {
    for (const { kind, shape } of architecture.layerTensors(layer))
      if (kind === "linear") total += shape.reduce((product, n) => product * n, 1);
  }
  return total;
}

/** As many outliers as the paper prunes: its 7,000 of Llama-7B's 7 · 10⁹ weights, never fewer than 50. */
export function outlierCount(weights: number): number {
  return Math.max(50, Math.round(1e-6 * weights));
}

/**
 * Finds the `count` largest |w| over the linears of all decoder layers, the super weights left out, and returns the edits that
 * prune them. Reads the checkpoint once, a layer at a time.
 */
export async function pruneLargest(
  engine: Engine,
  count: number,
  superWeights: readonly Coordinate[],
  watch: Watch = {},
): Promise<Map<string, WeightEdit[]>> {
  const { architecture } = engine;
  const reader = createLayerReader(engine);
  const excluded = scaleWeights(architecture, superWeights, 0);
  let found: Found[] = [];
  let least = 0;
  const keepLargest = (): void => {
    found.sort((a, b) => b.magnitude - a.magnitude);
    found = found.slice(0, count);
    least = found.length < count ? 0 : found[count - 1].magnitude;
  };
  for (let layer = 0; layer < architecture.facts.layers; layer++) {
    const weights = await reader.read(layer);
    for (const { slot, name, kind, expert } of architecture.layerTensors(layer)) {
      if (kind !== "linear") continue;
      const own = expert ? await expertOf(weights, expert.number) : weights;
      const values = own[expert?.slot ?? slot];
      const without = new Set(excluded.get(name)?.map(({ index }) => index));
      for (let index = 0; index < values.length; index++) {
        const magnitude = Math.abs(values[index]);
        if (magnitude <= least || without.has(index)) continue;
        found.push({ magnitude, name, index });
        if (found.length >= 2 * count) keepLargest();
      }
    }
    await watch.control?.check();
  }
  keepLargest();
  const edits = new Map<string, WeightEdit[]>();
  for (const { name, index } of found) edits.set(name, [...(edits.get(name) ?? []), { index, factor: 0 }]);
  return edits;
}
