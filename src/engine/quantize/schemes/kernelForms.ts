import type { StorageType } from "#engine/numeric/storageTypes.ts";

/** Forms of arithmetic that the kernels know, as in assembly/settings.ts. */
export const [AFFINE, INT, LEVELS, LEVELS_MINMAX, MATMULNBITS] = [0, 1, 2, 3, 4];
export const [GGUF_SIGNED, GGUF_AFFINE, GGUF_Q8] = [5, 6, 7];

/** Storage types by the number that the kernels give them. */
export const STORAGE: Readonly<Record<StorageType, number>> = { F32: 0, F16: 1, BF16: 2 };
