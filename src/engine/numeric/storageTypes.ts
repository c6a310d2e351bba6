/** Storage types whose values Keystone computes with. Others are listed when a checkpoint opens and refused when read. */
export type StorageType = "F32" | "F16" | "BF16";

/** Exponent bits of each type: all of them set means NaN or infinite. */
export const EXPONENT_BITS: Readonly<Record<StorageType, number>> = {
  F32: 0x7f80_0000,
  F16: 0x7c00,
  BF16: 0x7f80,
};

/** Bytes per element of the storage types that can be read. */
export const STORAGE_BYTES: Readonly<Record<StorageType, number>> = { F32: 4, F16: 2, BF16: 2 };

export function isStorageType(dtype: string): dtype is StorageType {
  return Object.hasOwn(STORAGE_BYTES, dtype);
}
