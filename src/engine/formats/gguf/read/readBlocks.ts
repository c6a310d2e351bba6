import { KeystoneError } from "#shared/errors.ts";
import type { ByteSource } from "#engine/files/byteSource.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { readRowsOf, readWhole, type RowFormat } from "#engine/checkpoint/readTensor.ts";
import { shown } from "#engine/files/strictJson.ts";
import { widen } from "#engine/numeric/widen.ts";
import { READ_TYPES } from "../layout/ggmlTypes.ts";
import type { GgufTensor } from "./readGgufHeader.ts";
import { unpackBlocks } from "./blocks/unpackBlocks.ts";

/** @throws KeystoneError gguf/unreadable-type */
function requireRead({ name, type }: GgufTensor): void {
  if (type.read) return;
  throw new KeystoneError(
    "gguf/unreadable-type",
    `Tensor ${shown(name)} is stored as ${type.name}; of GGUF's types Keystone reads ${READ_TYPES.join(", ")}.`,
    "Use a file with one of these types, or the model's original checkpoint.",
    { tensor: name, type: type.name },
  );
}

/**
 * A whole tensor in f32, in the file's own order of rows.
 * @param out exactly as many values as the tensor has
 */
export async function readBlocks(
  source: ByteSource,
  tensor: GgufTensor,
  out: Float32Array = new Float32Array(tensor.parameters),
): Promise<Float32Array> {
  requireRead(tensor);
  await readWhole(source, fieldsOf(tensor), out, formatOf(tensor));
  return out;
}

/** Rows of a matrix in f32, counted in the file's own order, in the order asked. */
export async function readBlockRows(
  source: ByteSource,
  tensor: GgufTensor,
  rows: ArrayLike<number>,
): Promise<Float32Array> {
  requireRead(tensor);
  return readRowsOf(source, fieldsOf(tensor), rows, formatOf(tensor));
}

/** The same tensor as the reader of safetensors files sees it. */
function fieldsOf({ name, shape, parameters, begin, end }: GgufTensor) {
  return { name, shape: [...shape], parameters, begin, bytes: end - begin };
}

/** Whole blocks become weights. */
function formatOf({ type }: GgufTensor): RowFormat {
  const { name, weights, bytes } = type;
  if (isStorageType(name)) return { weights, bytes, decode: (stored, out) => widen(stored, name, out) };
  return { weights, bytes, decode: (stored, out) => unpackBlocks(name, stored, out) };
}
