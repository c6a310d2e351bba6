import { narrowToHalves } from "./storedWeights.ts";
import type { StorageType } from "./storageTypes.ts";

/**
 * Weights as stored bytes, little-endian, rounded to nearest even: the reverse of widen.ts. NaN stays NaN.
 * @param weights row-major f32
 * @returns bytes in memory of their own; for F32 a view of `weights`
 */
export function narrow(weights: Float32Array, storage: StorageType): Uint8Array {
  if (storage === "F32") return new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  const stored = new Uint8Array(2 * weights.length);
  if (narrowToHalves(weights, storage, stored)) return stored;
  return storage === "F16" ? new Uint8Array(new Float16Array(weights).buffer) : toBf16(weights);
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
