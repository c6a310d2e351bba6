import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Coordinate, Recipe } from "#shared/recipe.ts";
import type { Notes } from "./notes.ts";
import type { PlanContext } from "./planContext.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/**
 * Resolves a recipe's `restore` to flat indices per tensor, every coordinate checked against the model.
 * @returns the `restore` of a tensor's plan, by tensor name
 * @throws KeystoneError recipe/no-such-weight
 */
export function resolveRestore(
  recipe: Recipe,
  tensors: readonly TensorInfo[],
  chosen: ReadonlyMap<TensorInfo, unknown>,
  context: PlanContext,
  notes: Notes,
): (tensor: string) => TensorPlan["restore"] {
  const { restore } = recipe;
  if (typeof restore === "object" && !Array.isArray(restore)) return () => ({ largest: restore.largest });
  if (restore === "super-weights" && context.superWeights.length === 0) {
    notes.add(
      "restore/no-super-weight",
      `No super weight is known for this model: nothing is ${recipe.excludeFromRange ? "held out" : "restored"}.`,
    );
  }
  const coordinates = restore === "none" ? [] : restore === "super-weights" ? context.superWeights : restore;
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const indices = new Map<string, Set<number>>();
  for (const coordinate of coordinates) {
    const { tensor, index } = locate(coordinate, byName, context);
    indices.set(tensor.name, (indices.get(tensor.name) ?? new Set()).add(index));
    if (!chosen.has(tensor))
      notes.add(
        "restore/not-quantized",
        `Nothing to restore at ${text(coordinate)}: "${tensor.name}" is not quantized.`,
      );
  }
  const sorted = new Map(
    [...indices].map(([name, set]) => [name, { indices: [...set].sort((a, b) => a - b) }]),
  );
  return (name) => sorted.get(name) ?? { indices: [] };
}

function locate(
  coordinate: Coordinate,
  byName: ReadonlyMap<string, TensorInfo>,
  context: PlanContext,
): { tensor: TensorInfo; index: number } {
  const [layer, row, column, expert] = coordinate;
  const name = context.downProjection(layer, expert);
  if (expert !== undefined && name === context.downProjection(layer))
    throw noSuchWeight(coordinate, name, `layer ${layer} has no experts`);
  if (name.includes("*"))
    throw noSuchWeight(
      coordinate,
      name,
      `layer ${layer} has experts, each with a down_proj of its own ("${name}")`,
    );
  const tensor = byName.get(name);
  if (tensor?.shape.length !== 2) {
    throw noSuchWeight(coordinate, name, `the model has no 2-D tensor "${name}"`);
  }
  const [rows = 0, columns = 0] = tensor.shape;
  if (row >= rows || column >= columns) {
    throw noSuchWeight(coordinate, name, `"${name}" has ${rows} rows and ${columns} columns, counted from 0`);
  }
  return { tensor, index: row * columns + column };
}

function noSuchWeight(coordinate: Coordinate, tensor: string, why: string): KeystoneError {
  const [layer, row, column] = coordinate;
  return new KeystoneError(
    "recipe/no-such-weight",
    `The recipe restores ${text(coordinate)}, but ${why}.`,
    "Coordinates are [layer, row = output channel, column = input channel] of down_proj, in a layer with experts followed by the expert; detect lists those of a model.",
    { layer, row, column, tensor },
  );
}

function text(coordinate: Coordinate): string {
  return `[${coordinate.join(", ")}]`;
}
