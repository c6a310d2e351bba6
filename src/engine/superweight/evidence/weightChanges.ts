import type { Coordinate } from "#shared/recipe.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { LayerWeights } from "#engine/forward/forward.ts";

/** Weights of one tensor of one layer, multiplied by `factor`: one, or a whole row or column (null stands for all). */
export interface WeightChange {
  readonly layer: number;
  readonly slot: string;
  readonly row: number | null;
  readonly column: number | null;
  readonly factor: number;
}

/** The slot of a layer's down_proj. */
export function downSlot(architecture: Architecture, layer: number): string {
  const name = architecture.downProjection(layer);
  const slot = architecture.layerTensors(layer).find((tensor) => tensor.name === name)?.slot;
  if (slot === undefined) throw new Error(`layer ${layer} does not list its down_proj ${name}`);
  return slot;
}

/** Super weights multiplied by a factor; 0 prunes them. */
export function weightsScaled(
  architecture: Architecture,
  coordinates: readonly Coordinate[],
  factor: number,
): WeightChange[] {
  return coordinates.map(([layer, row, column]) => ({
    layer,
    slot: downSlot(architecture, layer),
    row,
    column,
    factor,
  }));
}

/**
 * Changes the weights of a layer in place and returns what puts them back.
 * @param changes those of this layer
 */
export function applyChanges(
  architecture: Architecture,
  layer: number,
  weights: LayerWeights,
  changes: readonly WeightChange[],
): () => void {
  const undo: { values: Float32Array; index: number; value: number }[] = [];
  for (const { slot, row, column, factor } of changes) {
    const values = weights[slot];
    const shape = architecture.layerTensors(layer).find((tensor) => tensor.slot === slot)?.shape ?? [];
    const [rows, columns] = shape;
    const [firstRow, lastRow] = row === null ? [0, rows - 1] : [row, row];
    const [firstColumn, lastColumn] = column === null ? [0, columns - 1] : [column, column];
    for (let r = firstRow; r <= lastRow; r++) {
      for (let c = firstColumn; c <= lastColumn; c++) {
        const index = r * columns + c;
        undo.push({ values, index, value: values[index] });
        values[index] *= factor;
      }
    }
  }
  return () => {
    for (const { values, index, value } of undo.reverse()) values[index] = value;
  };
}
