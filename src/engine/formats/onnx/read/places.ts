import { KeystoneError } from "#shared/errors.ts";
import { shown } from "#engine/files/strictJson.ts";
import type { Place } from "#engine/checkpoint/tensorInfo.ts";
import type { Initializer } from "./readModel.ts";

/** ONNX's element types by number: the name a checkpoint has for it, and its bits. */
const TYPES: ReadonlyMap<number, readonly [string, number]> = new Map([
  [1, ["F32", 32]],
  [2, ["U8", 8]],
  [3, ["I8", 8]],
  [4, ["U16", 16]],
  [5, ["I16", 16]],
  [6, ["I32", 32]],
  [7, ["I64", 64]],
  [9, ["BOOL", 8]],
  [10, ["F16", 16]],
  [11, ["F64", 64]],
  [12, ["U32", 32]],
  [13, ["U64", 64]],
  [16, ["BF16", 16]],
  [17, ["F8_E4M3", 8]],
]);

/** The checkpoint's name for an element type; `ONNX 21` for one that has none. */
export function dtypeOf({ type }: Pick<Initializer, "type">): string {
  return TYPES.get(type)?.[0] ?? `ONNX ${type}`;
}

/** Elements of a tensor. */
export function elementsOf({ shape }: Pick<Initializer, "shape">): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Where a tensor's data lies, held against its shape and the file's size.
 * @param sizes bytes of each file of the model, by plain name
 * @throws KeystoneError onnx/no-data, onnx/past-end, onnx/size-mismatch
 */
export function placeOf(tensor: Initializer, model: string, sizes: ReadonlyMap<string, number>): Place {
  const { data, name } = tensor;
  if (data === null) throw noData(name);
  const bits = TYPES.get(tensor.type)?.[1];
  const elements = elementsOf(tensor);
  const expected = bits === undefined ? null : (elements * bits) / 8;
  if (!Number.isSafeInteger(elements * (bits ?? 64))) throw mismatch(name, tensor.shape, null, elements);
  const file = "file" in data ? data.file : model;
  const size = sizes.get(file) ?? 0;
  const begin = "file" in data ? data.offset : data.begin;
  const length = "file" in data ? (data.length ?? expected ?? size - begin) : data.end - data.begin;
  if (expected !== null && length !== expected) throw mismatch(name, tensor.shape, length, expected);
  if (!(begin + length <= size)) {
    throw new KeystoneError(
      "onnx/past-end",
      `Tensor ${shown(name)} ends at byte ${begin + length} of ${shown(file)}, which holds ${size}.`,
      "The file looks truncated: download or export it again.",
      { tensor: name, file, end: begin + length, bytes: size },
    );
  }
  return { file, begin, end: begin + length };
}

function noData(tensor: string): KeystoneError {
  return new KeystoneError(
    "onnx/no-data",
    `Tensor ${shown(tensor)} has its numbers in a form that is not read: raw data, in the model or beside it, is.`,
    "Save the model again with onnx.save.",
    { tensor },
  );
}

function mismatch(
  tensor: string,
  shape: readonly number[],
  found: number | null,
  expected: number,
): KeystoneError {
  return new KeystoneError(
    "onnx/size-mismatch",
    `Tensor ${shown(tensor)} of shape [${shape.join(", ")}] ${found === null ? "is larger than any file" : `needs ${expected} bytes, but ${found} are there`}.`,
    "The file is damaged: download or export it again.",
    { tensor, found, expected },
  );
}
