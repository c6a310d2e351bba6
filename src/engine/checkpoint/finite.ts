import { KeystoneError } from "#shared/errors.ts";
import { EXPONENT_BITS } from "#engine/numeric/storageTypes.ts";
import { shown } from "#engine/files/strictJson.ts";

/** How many of the values are NaN or infinite. */
export function countNotFinite(values: Float32Array): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const exponent = EXPONENT_BITS.F32;
  let count = 0;
  for (let i = 0; i < words.length; i++) count += (words[i] & exponent) === exponent ? 1 : 0;
  return count;
}

/**
 * Refuses weights that hold NaN or infinity: no figure computed with them means anything.
 * @throws KeystoneError checkpoint/not-finite, naming the tensor and the count
 */
export function requireFinite(name: string, values: Float32Array): void {
  const count = countNotFinite(values);
  if (count === 0) return;
  const first = values.findIndex((value) => !Number.isFinite(value));
  throw new KeystoneError(
    "checkpoint/not-finite",
    `Tensor ${shown(name)} holds ${count} NaN or infinite ${count === 1 ? "value" : "values"}, the first at element ${first}.`,
    "The checkpoint is damaged or was saved in too small a type: download it again or use another one.",
    { tensor: name, count, first },
  );
}
