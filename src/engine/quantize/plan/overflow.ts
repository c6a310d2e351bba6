import { KeystoneError } from "#shared/errors.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { F32_MAX, LARGEST } from "#engine/numeric/halfTypes.ts";

/** @throws KeystoneError quantize/scale-overflow where a block's scale is past the largest value of its type. */
export function assertScaleFits(
  scale: number,
  tensor: string,
  block: number,
  type: StorageType = "F16",
): void {
  if (scale <= LARGEST[type]) return;
  throw new KeystoneError(
    "quantize/scale-overflow",
    `Tensor "${tensor}": the scale of a block is past ${LARGEST[type]}, the largest ${type} value.`,
    'Leave this tensor out with "ignore", or use the scheme affine, whose constants are f32.',
    { tensor, block },
  );
}

/** @throws KeystoneError quantize/range-overflow where high − low is past the largest f32. */
export function assertRangeFits(range: number, tensor: string, block: number): void {
  if (range <= F32_MAX) return;
  throw new KeystoneError(
    "quantize/range-overflow",
    `Tensor "${tensor}": the range of a block is past the largest f32 value.`,
    'Leave this tensor out with "ignore"; weights this large are usually a damaged file.',
    { tensor, block },
  );
}

/**
 * @throws KeystoneError quantize/not-finite for the first NaN or infinite weight.
 */
export function assertFinite(weights: Float32Array, plan: { name: string; columns: number }): void {
  for (let i = 0; i < weights.length; i++) {
    if (Number.isFinite(weights[i])) continue;
    const row = Math.floor(i / plan.columns);
    const column = i % plan.columns;
    throw new KeystoneError(
      "quantize/not-finite",
      `Tensor "${plan.name}" holds ${String(weights[i])} at row ${row}, column ${column}; only finite weights can be quantized.`,
      'The checkpoint looks damaged: download it again, or leave the tensor out with "ignore".',
      { tensor: plan.name, row, column, value: String(weights[i]) },
    );
  }
}

/** The error of a dequantized value that the storage type cannot hold. */
export function storageOverflow(tensor: string, storage: string): KeystoneError {
  return new KeystoneError(
    "quantize/storage-overflow",
    `Tensor "${tensor}": a dequantized weight is past the largest ${storage} value.`,
    'Leave this tensor out with "ignore", or use more bits.',
    { tensor, storage },
  );
}
