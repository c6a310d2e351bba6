import { widenHalves } from "./storedWeights.ts";
import type { StorageType } from "./storageTypes.ts";

/** Every f16 as f32: 256 KiB, faster than converting bit by bit. */
export const F16_VALUES = new Float32Array(
  new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer),
);

/**
 * Widens stored little-endian weights to f32, exactly (NaN and infinities included).
 * @param bytes a whole number of elements; its offset in its buffer is a multiple of 4
 * @param out exactly as many elements; may lie in shared memory; must not overlap `bytes`
 */
export function widen(bytes: Uint8Array, storage: StorageType, out: Float32Array): void {
  if (storage !== "F32" && widenHalves(bytes, storage, out)) return;
  const { buffer, byteOffset } = bytes;
  switch (storage) {
    case "F32":
      out.set(new Float32Array(buffer, byteOffset, out.length));
      return;
    case "F16": {
      const halves = new Uint16Array(buffer, byteOffset, out.length);
      for (let i = 0; i < out.length; i++) out[i] = F16_VALUES[halves[i]];
      return;
    }
    case "BF16": {
      // bf16 is the upper half of an f32
      const halves = new Uint16Array(buffer, byteOffset, out.length);
      const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
      for (let i = 0; i < out.length; i++) words[i] = halves[i] << 16;
    }
  }
}
