import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Architecture } from "./decoder/architecture.ts";
import { stackedTensors } from "./decoder/stackedTensors.ts";

type Tensors = ReadonlyMap<string, Pick<TensorInfo, "shape">>;

/** A tensor that the forward pass reads, and what reads it: `embeddings`, `layer 3: q_proj`. */
export interface NeededTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly usedBy: string;
}

/** Every tensor that the forward pass reads, once, in the order of its use. */
export function neededTensors(architecture: Architecture): NeededTensor[] {
  const inLayers = Array.from({ length: architecture.facts.layers }, (_, layer) =>
    architecture.layerTensors(layer).map(({ name, slot, shape }) => ({
      name,
      shape,
      usedBy: `layer ${layer}: ${slot}`,
    })),
  );
  const [embedding, ...rest] = architecture.outerTensors;
  return [embedding, ...inLayers.flat(), ...rest];
}

/**
 * Checks that every tensor the forward pass reads is there and has the shape that config.json implies. Others are left alone.
 * @throws KeystoneError architecture/missing-tensor, architecture/other-names, architecture/shape-mismatch, for the first one that is wrong
 */
export function validateTensors(architecture: Architecture, tensors: Tensors): void {
  const needed = neededTensors(architecture);
  const missing = needed.filter(({ name }) => !tensors.has(name));
  // a file of which nothing fits was written under other names; one with a gap has lost something
  if (tensors.size > 0 && missing.length === needed.length) throw otherNames(needed[0].name, tensors);
  // where a layer's experts stand in one tensor and were not taken apart, their sizes are not the config's
  for (const [name, { shape }] of stackedTensors(architecture.description))
    if (tensors.has(name)) checkTensor(architecture, tensors, name, shape);
  for (const { name, shape } of needed) checkTensor(architecture, tensors, name, shape);
}

function otherNames(wanted: string, tensors: Tensors): KeystoneError {
  const names = [...tensors.keys()];
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name));
  const rest = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return new KeystoneError(
    "architecture/other-names",
    `The checkpoint's tensors have other names than config.json implies: it holds ${shown.join(", ")}${rest}, but no "${wanted}".`,
    "Save the model with transformers' save_pretrained, or rename the tensors to those of its family.",
    { tensor: wanted, found: names[0] ?? null },
  );
}

function checkTensor(
  architecture: Architecture,
  tensors: Tensors,
  name: string,
  expected: readonly number[],
): void {
  const found = tensors.get(name);
  if (!found) {
    const head = name === architecture.headTensor && tensors.has(architecture.embedTensor);
    throw new KeystoneError(
      "architecture/missing-tensor",
      `The checkpoint has no tensor "${name}", which config.json implies with shape ${shapeText(expected)}.`,
      head
        ? 'If the output head is the embedding matrix, set "tie_word_embeddings": true in config.json; otherwise the weight is missing: check that all shards are there.'
        : "Check that all shards are there and that config.json belongs to this checkpoint.",
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
