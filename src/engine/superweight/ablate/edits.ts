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
  const { layers, hiddenSize, intermediateSize } = architecture.facts;
  const edits = new Map<string, WeightEdit[]>();
  for (const [layer, row, column] of coordinates) {
    if (layer >= layers || row >= hiddenSize || column >= intermediateSize) {
      throw new KeystoneError(
        "usage/no-such-weight",
        `There is no weight [${layer}, ${row}, ${column}]: the model has ${layers} layers whose down_proj is ${hiddenSize} × ${intermediateSize}.`,
        "Coordinates are [layer, row = output channel, column = input channel], counted from 0; detect lists those of a model.",
        { layer, row, column },
      );
    }
    if (architecture.expertsOf(layer) > 0)
      throw new KeystoneError(
        "usage/no-such-weight",
        `There is no weight [${layer}, ${row}, ${column}]: layer ${layer} has experts, each with a down_proj of its own.`,
        "Name weights of layers without experts.",
        { layer, row, column },
      );
    const name = architecture.downProjection(layer);
    const tensor = edits.get(name) ?? [];
    edits.set(name, tensor);
    tensor.push({ index: row * intermediateSize + column, factor });
  }
  return edits;
}
