/** Names outside the layers: Hugging Face's and GGUF's. */
const OUTER: readonly (readonly [string, string])[] = [
  ["model.embed_tokens.weight", "token_embd.weight"],
  ["model.norm.weight", "output_norm.weight"],
  ["lm_head.weight", "output.weight"],
];

/** Parts of a layer, without `.weight` or `.bias`. */
const INNER: readonly (readonly [string, string])[] = [
  ["input_layernorm", "attn_norm"],
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.qkv_proj", "attn_qkv"],
  ["self_attn.o_proj", "attn_output"],
  ["post_attention_layernorm", "ffn_norm"],
  ["mlp.gate_proj", "ffn_gate"],
  ["mlp.up_proj", "ffn_up"],
  ["mlp.down_proj", "ffn_down"],
];
/** Families whose gate and up projections are one matrix, which GGUF calls `ffn_up`. */
const FUSED: readonly (readonly [string, string])[] = [
  ...INNER.filter(([, gguf]) => gguf !== "ffn_up" && gguf !== "ffn_gate"),
  ["mlp.gate_up_proj", "ffn_up"],
];

/** The two vocabularies of tensor names for one of GGUF's architectures. */
export interface TensorNames {
  /** GGUF's name of a tensor; null where the architecture has none for it. */
  toGguf(name: string): string | null;
  /** Hugging Face's name; the file's own where it has none. */
  toHuggingFace(name: string): string;
}

/** @param architecture `general.architecture`; ones that are not known are read with the usual names */
export function tensorNames(architecture: string): TensorNames {
  const inner = architecture === "phi3" ? FUSED : INNER;
  const outerToGguf = new Map(OUTER);
  const outerToOther = new Map(OUTER.map(([name, gguf]) => [gguf, name]));
  const innerToGguf = new Map(inner);
  const innerToOther = new Map(inner.map(([name, gguf]) => [gguf, name]));
  return {
    toGguf(name) {
      const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
      if (layer === undefined) return outerToGguf.get(name) ?? null;
      const gguf = innerToGguf.get(part);
      return gguf === undefined ? null : `blk.${layer}.${gguf}.${kind}`;
    },
    toHuggingFace(name) {
      const [, layer, part, kind] = /^blk\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
      if (layer === undefined) return outerToOther.get(name) ?? name;
      const other = innerToOther.get(part);
      return other === undefined ? name : `model.layers.${layer}.${other}.${kind}`;
    },
  };
}

/** Divisors of the rotary frequencies, which the file's architecture keeps beside the weights. */
export const ROPE_TENSORS = {
  both: "rope_freqs.weight",
  long: "rope_factors_long.weight",
  short: "rope_factors_short.weight",
} as const;
