import { EXPONENT_BITS, type StorageType } from "#engine/numeric/storageTypes.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import { notFiniteFrom } from "#engine/numeric/storedWeights.ts";
import { KeystoneError } from "#shared/errors.ts";

/**
 * Weights as their stored bytes, little-endian, rounded to nearest even.
 * @param weights row-major f32
 * @returns bytes in memory of their own; for F32 a view of `weights`
 * @throws KeystoneError checkpoint/not-finite where a weight is NaN or infinite, or becomes infinite in `storage`
 */
export function toStorageBytes(weights: Float32Array, storage: StorageType, tensor: string): Uint8Array {
  const stored = narrow(weights, storage);
  requireFinite(stored, storage, tensor);
  return stored;
}

/**
 * @param stored bytes of whole elements
 * @param firstElement index of the first of them in its tensor, for the message
 * @throws KeystoneError checkpoint/not-finite naming the first element that is NaN or infinite
 */
export function requireFinite(
  stored: Uint8Array,
  storage: StorageType,
  tensor: string,
  firstElement = 0,
): void {
  const width = storage === "F32" ? 4 : 2;
  const aligned = stored.byteOffset % width === 0 ? stored : stored.slice();
  const { buffer, byteOffset } = aligned;
  const count = aligned.byteLength / width;
  const words =
    storage === "F32"
      ? new Uint32Array(buffer, byteOffset, count)
      : new Uint16Array(buffer, byteOffset, count);
  const exponent = EXPONENT_BITS[storage];
  const suspect = notFiniteFrom(aligned, storage);
  if (suspect < 0) return;
  for (let i = suspect; i < words.length; i++) {
    if ((words[i] & exponent) === exponent) throw notFiniteError(tensor, storage, firstElement + i);
  }
}

function notFiniteError(tensor: string, storage: StorageType, element: number): KeystoneError {
  return new KeystoneError(
    "checkpoint/not-finite",
    `Tensor ${tensor}, element ${element.toLocaleString("en-US")}, is NaN or infinite as ${storage}.`,
    "Repair or download the checkpoint again: a model with such a weight computes nothing of use.",
    { tensor, storage, element },
  );
}
