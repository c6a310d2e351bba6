import type { TensorInfo } from "#shared/model.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";

/** Ends of names that a model's own tensors never have: codes, and the constants that lie beside them. */
const PACKED_NAME =
  /\.(?:qweight|qzeros|scales|weight_packed|weight_scale|weight_scale_inv|weight_zero_point|SCB|absmax|quant_map|W_q)$|\.quant_state\.|_blocks$/;

/** The first tensor that is a part of a packed module, by its name or by its type; null where all weights are plain. */
export function packedPart(tensors: Iterable<Pick<TensorInfo, "name" | "dtype">>): string | null {
  for (const { name, dtype } of tensors)
    if (PACKED_NAME.test(name) || (name.endsWith(".weight") && !isStorageType(dtype))) return name;
  return null;
}

/** Packed modules about which no file says how they are packed. */
export interface UnexplainedPacking {
  /** Completes "This checkpoint's weights are …". */
  readonly packed: string;
  /** One tensor of them. */
  readonly tensor: string;
  /** What to do, in a sentence. */
  readonly next: string;
}

const GPTQ_NEXT =
  'Put the quantize_config.json of its source beside the weights, for instance {"bits": 4, "group_size": 128, "desc_act": false, "sym": true}, or choose the original checkpoint.';
const AWQ_NEXT =
  'Put the quant_config.json of its source beside the weights, for instance {"w_bit": 4, "q_group_size": 128, "zero_point": true, "version": "GEMM"}, or choose the original checkpoint.';
const OTHER_NEXT =
  "Put the config.json of its source beside the weights, or choose the original checkpoint in F32, F16 or BF16.";

/**
 * What modules whose weight is not among the tensors are packed as, by the names and shapes of their parts: for a checkpoint
 * whose config says nothing of it. Null where no part of such a module is found.
 */
export function unexplainedPacking(
  tensors: ReadonlyMap<string, Pick<TensorInfo, "shape">>,
): UnexplainedPacking | null {
  for (const [name, { shape }] of tensors) {
    const found = /^(.*)\.(qweight|weight_packed|scales)$/.exec(name);
    if (!found) continue;
    const [, base, part] = found;
    const plain = tensors.has(`${base}.weight`);
    if (part === "scales" && plain && tensors.has(`${base}.biases`))
      return { packed: "packed by MLX", tensor: name, next: OTHER_NEXT };
    if (part === "scales" || plain) continue;
    if (part === "weight_packed")
      return { packed: "packed by compressed-tensors", tensor: name, next: OTHER_NEXT };
    // the one has a row's scales beside a row's words, the other eight rows in a word
    const awq = tensors.get(`${base}.scales`)?.shape[1] === shape[1] * 8;
    return awq
      ? { packed: "packed as AWQ", tensor: name, next: AWQ_NEXT }
      : { packed: "packed as GPTQ", tensor: name, next: GPTQ_NEXT };
  }
  return null;
}
