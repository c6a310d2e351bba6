import type { TensorInfo } from "#shared/model.ts";
import { isStorageType, STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";

/**
 * Bits per element of every dtype the safetensors format names. Most of them are only listed: Keystone computes
 * with F32, F16 and BF16, but a header that holds another is still checked in full.
 */
export const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["BOOL", 8],
  ["U8", 8],
  ["I8", 8],
  ["F8_E4M3", 8],
  ["F8_E5M2", 8],
  ["F8_E8M0", 8],
  ["F8_E4M3FNUZ", 8],
  ["F8_E5M2FNUZ", 8],
  ["U16", 16],
  ["I16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["U32", 32],
  ["I32", 32],
  ["F32", 32],
  ["U64", 64],
  ["I64", 64],
  ["F64", 64],
  ["C64", 64],
]);

/** Bytes of a tensor's values in its type: what readBytes gives. A packed tensor's `bytes` are what its codes take. */
export function dataBytes({ dtype, bytes, parameters, packed }: TensorInfo): number {
  return packed && isStorageType(dtype) ? parameters * STORAGE_BYTES[dtype] : bytes;
}
