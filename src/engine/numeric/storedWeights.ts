import { EXPONENT_BITS, type StorageType } from "./storageTypes.ts";
import { kernels } from "./kernels/kernels.ts";

type HalfType = Exclude<StorageType, "F32">;

/**
 * Two-byte weights as f32, exactly.
 * @param bytes a whole number of weights; must not overlap `out`
 * @returns false where there is no SIMD, and nothing was done
 */
export function widenHalves(bytes: Uint8Array, storage: HalfType, out: Float32Array): boolean {
  const module = kernels();
  if (!module) return false;
  for (let at = 0; at < out.length; at += module.capacity) {
    const count = Math.min(module.capacity, out.length - at);
    module.stored.set(bytes.subarray(2 * at, 2 * (at + count)));
    if (storage === "F16") module.widenF16(count);
    else module.widenBf16(count);
    out.set(module.output.subarray(0, count), at);
  }
  return true;
}

/**
 * f32 weights as two bytes each, rounded to nearest even; NaN stays NaN.
 * @param out two bytes a weight
 * @returns false where there is no SIMD, and nothing was done
 */
export function narrowToHalves(weights: Float32Array, storage: HalfType, out: Uint8Array): boolean {
  const module = kernels();
  if (!module) return false;
  for (let at = 0; at < weights.length; at += module.capacity) {
    const count = Math.min(module.capacity, weights.length - at);
    module.input.set(weights.subarray(at, at + count));
    if (storage === "F16") module.narrowToF16(count);
    else module.narrowToBf16(count);
    out.set(module.stored.subarray(0, 2 * count), 2 * at);
  }
  return true;
}

/**
 * Where the first stretch of weights begins that holds a NaN or an infinity, as an index; −1 where all are finite, 0 where there is
 * no SIMD to tell.
 * @param bytes a whole number of weights; of F32 it begins on a multiple of 4 of its buffer
 */
export function notFiniteFrom(bytes: Uint8Array, storage: StorageType): number {
  const module = kernels();
  if (!module) return 0;
  if (storage === "F32") {
    const words = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (let at = 0; at < words.length; at += module.capacity) {
      const count = Math.min(module.capacity, words.length - at);
      module.input.set(words.subarray(at, at + count));
      if (!module.finite(count)) return at;
    }
    return -1;
  }
  for (let at = 0; at < bytes.byteLength / 2; at += module.capacity) {
    const count = Math.min(module.capacity, bytes.byteLength / 2 - at);
    module.stored.set(bytes.subarray(2 * at, 2 * (at + count)));
    if (!module.finiteHalves(count, EXPONENT_BITS[storage])) return at;
  }
  return -1;
}
