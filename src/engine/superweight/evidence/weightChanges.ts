import type { Coordinate } from "#shared/recipe.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { EXPERTS, type LayerWeights } from "#engine/forward/forward.ts";

/** Weights of one tensor of one layer, multiplied by `factor`: one, or a whole row or column (null stands for all). */
export interface WeightChange {
  readonly layer: number;
  /** Of the layer's tensors; an expert's is `experts.3.down_proj`. */
  readonly slot: string;
  readonly row: number | null;
  readonly column: number | null;
  readonly factor: number;
}

/** The slot of a layer's down_proj, or of one of its experts'. */
export function downSlot(architecture: Architecture, layer: number, expert?: number): string {
  const name = architecture.downProjection(layer, expert);
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
  return coordinates.map(([layer, row, column, expert]) => ({
    layer,
    slot: downSlot(architecture, layer, expert),
    row,
    column,
    factor,
  }));
}

/** A layer's weights with some of them changed. */
export interface ChangedLayer {
  /** In the same memory as those that they were made of, which `undo` puts back. */
  readonly weights: LayerWeights;
  readonly undo: () => void;
}

/**
 * Changes the weights of a layer: those outside its experts in place, until they are put back; an expert's whenever it is read.
 * @param changes those of this layer
 */
export function applyChanges(
  architecture: Architecture,
  layer: number,
  weights: LayerWeights,
  changes: readonly WeightChange[],
): ChangedLayer {
  if (changes.length === 0) return { weights, undo: () => undefined };
  const undo: { values: Float32Array; index: number; value: number }[] = [];
  const ofExperts = new Map<number, ((own: Readonly<Record<string, Float32Array>>) => void)[]>();
  const tensors = new Map(architecture.layerTensors(layer).map((tensor) => [tensor.slot, tensor]));
  for (const change of changes) {
    const { shape = [], expert } = tensors.get(change.slot) ?? {};
    const places = placesOf(change, shape);
    if (expert) {
      const known = ofExperts.get(expert.number) ?? [];
      ofExperts.set(expert.number, known);
      known.push((own) => {
        for (const index of places()) own[expert.slot][index] *= change.factor;
      });
      continue;
    }
    const values = weights[change.slot];
    for (const index of places()) {
      undo.push({ values, index, value: values[index] });
      values[index] *= change.factor;
    }
  }
  return {
    weights: ofExperts.size === 0 ? weights : withExpertsChanged(weights, ofExperts),
    undo: () => {
      for (const { values, index, value } of undo.reverse()) values[index] = value;
    },
  };
}

/** An expert's matrices are overwritten by the next one's, so that nothing needs to be put back. */
function withExpertsChanged(
  weights: LayerWeights,
  changes: ReadonlyMap<number, readonly ((own: Readonly<Record<string, Float32Array>>) => void)[]>,
): LayerWeights {
  const read = weights[EXPERTS];
  if (!read) throw new Error("an expert's weights are to be changed in a layer that came without experts");
  return {
    ...weights,
    [EXPERTS]: async (expert) => {
      const own = await read(expert);
      for (const change of changes.get(expert) ?? []) change(own);
      return own;
    },
  };
}

/** Indices of the weights that a change is about, in a tensor of this shape. */
function placesOf({ row, column }: WeightChange, [rows, columns]: readonly number[]): () => Iterable<number> {
  const [firstRow, lastRow] = row === null ? [0, rows - 1] : [row, row];
  const [firstColumn, lastColumn] = column === null ? [0, columns - 1] : [column, column];
  return function* () {
    for (let r = firstRow; r <= lastRow; r++)
      for (let c = firstColumn; c <= lastColumn; c++) yield r * columns + c;
  };
}
