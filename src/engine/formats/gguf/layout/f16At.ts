import { F16_VALUES } from "#engine/numeric/widen.ts";

/** A block's f16 constant at a byte. */
export function f16At(bytes: Uint8Array, at: number): number {
  return F16_VALUES[bytes[at] | (bytes[at + 1] << 8)];
}
