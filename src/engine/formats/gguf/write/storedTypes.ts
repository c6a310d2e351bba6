import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { ggmlType, READ_TYPES } from "../layout/ggmlTypes.ts";
import { isDerived, isPositions } from "#engine/checkpoint/tensorRole.ts";
import { storedBits } from "#engine/quantize/plan/bitsPerWeight.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { TensorInfo } from "#shared/model.ts";
import { SCHEMES } from "#shared/schemes/index.ts";
import type { Granularity } from "#shared/recipe.ts";
import type { PackedType } from "./packBlocks.ts";

type Settings = Pick<TensorPlan, "scheme" | "bits" | "symmetric"> & { readonly granularity: Granularity };

/** The type that holds a quantized tensor exactly: a block type, or that to which every weight is rounded. Null where none does. */
export function ggmlTypeFor(settings: Settings): string | null {
  return SCHEMES[settings.scheme].rounds ?? blockType(settings);
}

/**
 * The block type that holds a quantized tensor exactly: GGUF's own schemes, and symmetric integers of as many bits, whose
 * codes and f16 scales are the same. Null where none does.
 */
export function blockType({ scheme, bits, symmetric, granularity }: Settings): PackedType | null {
  const type = SCHEMES[scheme].ggml(bits, symmetric);
  if (type === null || granularity.kind !== "group") return null;
  return granularity.size === ggmlType(type).weights ? type : null;
}

/**
 * The type of a tensor that is not quantized: matrices keep theirs, blocks of a GGUF source included; norms and biases become
 * F32, as llama.cpp wants them, and so do learned positions.
 */
export function storedType(tensor: TensorInfo): string | null {
  const { dtype, shape } = tensor;
  if (!isStorageType(dtype)) return null;
  return shape.length === 1 || isPositions(tensor.name) ? "F32" : (ownBlocks(tensor) ?? dtype);
}

/** The block type in which a GGUF source holds a tensor, whose very blocks are copied; null where it holds weights or other codes. */
export function ownBlocks({ packed }: Pick<TensorInfo, "packed">): string | null {
  return packed && READ_TYPES.includes(packed.scheme) ? packed.scheme : null;
}

/** What a tensor is stored as; null where the file cannot store it. */
export function typeOf(tensor: TensorInfo, plan: TensorPlan | undefined): string | null {
  return plan ? ggmlTypeFor(plan) : storedType(tensor);
}

/** Bytes of a tensor in the file; where it has no place there, what the recipe counts, or the source. */
export function bytesOf(tensor: TensorInfo, plan: TensorPlan | undefined): number {
  if (isDerived(tensor.name)) return 0;
  const type = typeOf(tensor, plan);
  if (type === null) return plan ? storedBits(plan) / 8 : tensor.bytes;
  const { weights, bytes } = ggmlType(type);
  return (tensor.parameters / weights) * bytes;
}
