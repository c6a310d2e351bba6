import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Architecture } from "./types.ts";

type Tensors = ReadonlyMap<string, Pick<TensorInfo, "shape">>;

/**
 * Checks that every tensor the forward pass reads is there and has the shape that config.json implies. Others are left alone.
 * @throws KeystoneError architecture/missing-tensor, architecture/shape-mismatch, for the first one that is wrong
 */
export function validateTensors(architecture: Architecture, tensors: Tensors): void {
  const { hiddenSize, vocabulary, layers } = architecture.facts;
  const check = (name: string, shape: readonly number[]): void => checkTensor(tensors, name, shape);
  check(architecture.embedTensor, [vocabulary, hiddenSize]);
  for (let layer = 0; layer < layers; layer++) {
    for (const { name, shape } of architecture.layerTensors(layer)) check(name, shape);
  }
  check(architecture.normTensor, [hiddenSize]);
  check(architecture.headTensor, [vocabulary, hiddenSize]);
}

function checkTensor(tensors: Tensors, name: string, expected: readonly number[]): void {
  const found = tensors.get(name);
  if (!found) {
    throw new KeystoneError(
      "architecture/missing-tensor",
      `The checkpoint has no tensor "${name}", which config.json implies with shape ${shapeText(expected)}.`,
      "Check that all shards are there and that config.json belongs to this checkpoint.",
      { tensor: name, expected: shapeText(expected) },
    );
  }
  if (found.shape.length !== expected.length || found.shape.some((size, i) => size !== expected[i])) {
    throw new KeystoneError(
      "architecture/shape-mismatch",
      `Tensor "${name}" has shape ${shapeText(found.shape)}, but config.json implies ${shapeText(expected)}.`,
      "Check that config.json belongs to this checkpoint.",
      { tensor: name, found: shapeText(found.shape), expected: shapeText(expected) },
    );
  }
}

function shapeText(shape: readonly number[]): string {
  return `(${shape.join(", ")})`;
}
