import type { StorageType } from "#engine/checkpoint/types.ts";
import { KeystoneError } from "#shared/errors.ts";

/**
 * Weights as their stored bytes, little-endian, rounded to nearest even.
 * @param weights row-major f32
 * @returns bytes in memory of their own; for F32 a view of `weights`
 * @throws KeystoneError checkpoint/not-finite where a weight is NaN or infinite, or becomes infinite in `storage`
 */
export function toStorageBytes(weights: Float32Array, storage: StorageType, tensor: string): Uint8Array {
  const stored = encode(weights, storage);
  requireFinite(stored, storage, tensor);
  return stored;
}

function encode(weights: Float32Array, storage: StorageType): Uint8Array {
  switch (storage) {
    case "F32":
      return new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
    case "F16":
      return new Uint8Array(new Float16Array(weights).buffer);
    case "BF16":
      return toBf16(weights);
  }
}

/** The upper half of each f32, the lower half rounded to nearest even. NaN keeps a payload bit so that it stays NaN. */
function toBf16(weights: Float32Array): Uint8Array {
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  const upper = new Uint16Array(weights.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i];
    const isNan = (word & 0x7fff_ffff) > 0x7f80_0000;
    upper[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(upper.buffer);
}

/** Exponent bits of each type: all of them set means NaN or infinite. */
const EXPONENT: Readonly<Record<StorageType, number>> = { F32: 0x7f80_0000, F16: 0x7c00, BF16: 0x7f80 };

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
  const exponent = EXPONENT[storage];
  for (let i = 0; i < words.length; i++) {
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
