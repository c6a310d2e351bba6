import type { Coordinate } from "#shared/recipe.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { WeightEdit } from "#engine/evaluate/stream/variant.ts";

/**
 * The edits that multiply `down_proj` weights by a factor, by tensor name; 0 prunes them.
 * @throws KeystoneError usage/no-such-weight
 */
export function scaleWeights(
  architecture: Architecture,
  coordinates: readonly Coordinate[],
  factor: number,
): Map<string, WeightEdit[]> {
  const edits = new Map<string, WeightEdit[]>();
  for (const coordinate of coordinates) {
    const { name, index } = located(architecture, coordinate);
    edits.set(name, [...(edits.get(name) ?? []), { index, factor }]);
  }
  return edits;
}

function located(architecture: Architecture, coordinate: Coordinate): { name: string; index: number } {
  const [layer, row, column, expert] = coordinate;
  const { layers } = architecture.facts;
  if (layer >= layers) throw noSuchWeight(coordinate, `the model has ${layers} layers`);
  const experts = architecture.expertsOf(layer);
  if (experts > 0 && expert === undefined)
    throw noSuchWeight(coordinate, `layer ${layer} has ${experts} experts, each with a down_proj of its own`);
  if (experts === 0 && expert !== undefined) throw noSuchWeight(coordinate, `layer ${layer} has no experts`);
  if (expert !== undefined && expert >= experts)
    throw noSuchWeight(coordinate, `layer ${layer} has ${experts} experts`);
  const name = architecture.downProjection(layer, expert);
  const shape = architecture.layerTensors(layer).find((tensor) => tensor.name === name)?.shape ?? [];
  const [rows, columns] = shape;
  if (row >= rows || column >= columns)
    throw noSuchWeight(coordinate, `the down_proj of layer ${layer} is ${rows} × ${columns}`);
  return { name, index: row * columns + column };
}

function noSuchWeight(coordinate: Coordinate, why: string): KeystoneError {
  const [layer, row, column] = coordinate;
  return new KeystoneError(
    "usage/no-such-weight",
    `There is no weight [${coordinate.join(", ")}]: ${why}.`,
    "Coordinates are [layer, row = output channel, column = input channel], in a layer with experts followed by the expert, counted from 0; detect lists those of a model.",
    { layer, row, column },
  );
}
