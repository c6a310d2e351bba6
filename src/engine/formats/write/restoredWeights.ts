import { z } from "zod";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { coordinateOf, type Coordinate } from "#shared/recipe.ts";
import { expertIn } from "#engine/checkpoint/tensorRole.ts";
import type { ExportVariant } from "./exportedVariant.ts";

/** A weight put back exactly, or one whose module is kept, and the value it has in the source. */
export const restoredWeight = z.object({
  layer: z.number().int().nullable(),
  row: z.number().int(),
  column: z.number().int(),
  /** Whose, in a layer with experts. */
  expert: z.number().int().optional(),
  tensor: z.string(),
  value: z.number(),
});
export type RestoredWeight = z.infer<typeof restoredWeight>;

/** Where one weight lies. */
export type WeightPlace = Omit<RestoredWeight, "value">;

/** How many weights a variant puts back, and where those are that it names. */
export interface RestoredPlaces {
  readonly count: number;
  readonly named: readonly WeightPlace[];
}

/** Counted from the plans alone; nothing is read. */
export function restoredPlaces(variant: Pick<ExportVariant, "plans">): RestoredPlaces {
  let count = 0;
  const named: WeightPlace[] = [];
  for (const { name, layer, rows, columns, restore } of variant.plans.values()) {
    if ("largest" in restore) {
      count += Math.min(restore.largest, rows * columns);
      continue;
    }
    count += restore.indices.length;
    for (const index of restore.indices)
      named.push({
        ...{ tensor: name, layer, row: Math.floor(index / columns), column: index % columns },
        ...(expertIn(name) === null ? {} : { expert: expertIn(name) ?? 0 }),
      });
  }
  return { count, named };
}

/** The named ones as coordinates. */
export function restoredCoordinates(variant: Pick<ExportVariant, "plans">): Coordinate[] {
  return restoredPlaces(variant).named.flatMap(({ layer, ...place }): Coordinate[] =>
    layer === null ? [] : [coordinateOf({ layer, ...place })],
  );
}

/** Weights with their values, read from the source row by row. */
export async function weightsAt(
  checkpoint: Checkpoint,
  places: readonly WeightPlace[],
): Promise<RestoredWeight[]> {
  const weights: RestoredWeight[] = [];
  for (const place of places) {
    const row = await checkpoint.readRows(place.tensor, [place.row]);
    weights.push({ ...place, value: row[place.column] });
  }
  return weights;
}
