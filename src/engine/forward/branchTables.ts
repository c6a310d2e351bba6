import type { Tensor } from "onnxruntime-node";
import { branchMask } from "#engine/architecture/decoder/mask.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { floats } from "./session.ts";
import type { HiddenBatch } from "./forward.ts";
import type { WindowRun } from "./windowRuns.ts";

/**
 * Position tables and mask of windows that branch, one of each a window: a token's position is that of its place on its own branch, and
 * it sees the tokens that lead to it. They take (count · length²) floats and are made anew for every run. Angles are those of
 * the batch's longest branch (some depend on it).
 */
export function branchTables(
  architecture: Architecture,
  layer: number,
  { lengths, parents = [] }: Pick<HiddenBatch, "lengths" | "parents">,
  { first, count, length }: WindowRun,
): Record<string, Tensor> {
  const places = lengths.map((tokens, w) => placesOf(parents[w] ?? null, tokens));
  const positions = 1 + places.reduce((most, of) => of.reduce((a, b) => Math.max(a, b), most), 0);
  const gather = (table: Float32Array): Tensor => {
    const width = table.length / positions;
    const rows = new Float32Array(count * length * width);
    places.slice(first, first + count).forEach((of, w) =>
      of.subarray(0, length).forEach((place, t) => {
        rows.set(table.subarray(place * width, (place + 1) * width), (w * length + t) * width);
      }),
    );
    return floats(rows, [count, 1, length, width]);
  };
  const own = lengths.slice(first, first + count).map((_, w) => parents[first + w] ?? null);
  const mask = branchMask(own, length, architecture.mask(layer, length));
  const tables = Object.entries(architecture.positionTables(layer, positions));
  return {
    ...Object.fromEntries(tables.map(([name, table]) => [name, gather(table)])),
    mask: floats(mask, [count, 1, length, length]),
  };
}

/** How many tokens lead to each of a window's. */
export function placesOf(parents: Int32Array | null, tokens: number): Int32Array {
  const places = Int32Array.from({ length: tokens }, (_, t) => t);
  parents?.forEach((before, t) => {
    places[t] = before < 0 ? 0 : places[before] + 1;
  });
  return places;
}
