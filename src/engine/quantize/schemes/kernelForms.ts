import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { SchemeKernels } from "./scheme.ts";

/** Forms of arithmetic that the kernels know, as in assembly/settings.ts. */
export const [AFFINE, INT, LEVELS, LEVELS_MINMAX, MATMULNBITS] = [0, 1, 2, 3, 4];
export const [GGUF_SIGNED, GGUF_AFFINE, GGUF_Q8] = [5, 6, 7];

/** Storage types by the number that the kernels give them. */
export const STORAGE: Readonly<Record<StorageType, number>> = { F32: 0, F16: 1, BF16: 2 };

/**
 * The kernels of a form whose codes are 0 … 2^bits − 1, and which give them.
 * @param zeroPoint the code of weight 0 where every block has the same one; the form says what other numbers mean
 */
export function codeKernels(
  form: number,
  zeroPoint: (levels: number, symmetric: boolean) => number,
  can: Pick<SchemeKernels, "mse" | "ordered">,
): SchemeKernels {
  return {
    configure(module, { bits, symmetric, storage }) {
      const levels = 2 ** bits;
      module.configure(form, levels - 1, 0, levels - 1, zeroPoint(levels, symmetric), 0, STORAGE[storage]);
    },
    codes: true,
    ...can,
  };
}
