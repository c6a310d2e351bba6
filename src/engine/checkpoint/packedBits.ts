import type { TensorInfo } from "#shared/model.ts";

/**
 * Bits per weight of a packed checkpoint, over those linears of the decoder layers that its files hold as codes: what a variant of
 * the same packing is said to have, whatever becomes of embedding and head. Null where no linear is packed.
 */
export function packedBitsPerWeight(
  tensors: Iterable<Pick<TensorInfo, "packed" | "parameters" | "linear">>,
): number | null {
  let [bits, weights] = [0, 0];
  for (const { packed, parameters, linear } of tensors) {
    if (!packed || !linear) continue;
    bits += packed.bitsPerWeight * parameters;
    weights += parameters;
  }
  return weights === 0 ? null : bits / weights;
}
