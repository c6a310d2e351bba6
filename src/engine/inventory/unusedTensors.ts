import { UNCLAIMED } from "#engine/architecture/unclaimed.ts";
import type { UnusedReason } from "#shared/inventory.ts";

/** What the reason for a tensor depends on. */
export interface ReasonContext {
  readonly layers: number;
  /** Modules that the model is computed with: names of its tensors without their last part. */
  readonly modules: ReadonlySet<string>;
  /** Whether every tensor of such a file takes part: a GGUF file with one that llama.cpp does not know does not load there. */
  readonly closed: boolean;
}

/** Kinds of tensors that no next token depends on, each decided once. */
const KINDS: readonly { readonly pattern: RegExp; readonly reason: UnusedReason }[] = [
  {
    pattern:
      /(?:^|\.)(?:rotary_emb|rotary_pos_emb|rotary|rope)\.(?:\w*inv_freq|freqs|cos\w*|sin\w*)$|(?:^|\.)freqs_(?:cis|cos|sin)$/,
    reason: { code: "derived", text: "a rotary table, which is computed from the config" },
  },
  {
    pattern:
      /(?:^|\.)(?:causal_mask|attention_mask|attn_mask|masked_bias)$|\.(?:self_attn|attn|attention)\.bias$/,
    reason: { code: "mask", text: "an attention mask, which every program makes itself" },
  },
  {
    pattern:
      /\.(?:[kvq]_scale|kv_scale|kv_cache_scale|prob_scale|[kv]_zero_point|[kv]_proj\.(?:output|[kv])_scale)$/,
    reason: {
      code: "cache-scale",
      text: "a scale for keys and values kept in 8 bits, and they are kept in f32",
    },
  },
  {
    pattern:
      /\.(?:input_scale|input_zero_point|input_global_scale|output_scale|output_zero_point|activation_scale|act_scales?)$/,
    reason: {
      code: "activation-scale",
      text: "a scale for activations in 8 bits, and activations are computed in f32",
    },
  },
  {
    pattern: /(?:^|\.)(?:mtp\w*|nextn\w*|medusa_heads?|eagle\w*)\./,
    reason: {
      code: "draft",
      text: "a part that guesses several tokens ahead, which no next token depends on",
    },
  },
  {
    pattern: /^(?:score|classifier|v_head|value_head|reward_head|qa_outputs|summary)\./,
    reason: { code: "other-head", text: "a head for another task than the next token" },
  },
  {
    pattern:
      /(?:^|\.)(?:vision_\w+|visual|vit|vpm|resampler|multi_modal_projector|mm_projector|audio_\w+|speech_\w+|image_newline|img_\w+)(?:\.|$)/,
    reason: { code: "other-part", text: "a part for images or sound, and texts are computed" },
  },
  {
    pattern: /(?:^|\.)(?:total_ops|total_params|num_batches_tracked|_extra_state|step)$/,
    reason: { code: "bookkeeping", text: "bookkeeping of a training program" },
  },
];

const OTHER: UnusedReason = {
  code: "unknown",
  text: "no equation of this family has a place for it; transformers leaves it out as well",
};
const BEARS: UnusedReason = {
  code: UNCLAIMED,
  text: "it bears on the numbers, and no equation of this family has a place for it",
};

/** True for tensors that no next token depends on, whatever the architecture. */
export function isNeverNeeded(name: string): boolean {
  return KINDS.some(({ pattern }) => pattern.test(name));
}

/** Why a tensor that no equation reads is there. @param name by the family's naming */
export function reasonFor(name: string, { layers, modules, closed }: ReasonContext): UnusedReason {
  const layer = Number(/(?:^|\.)(?:layers|h|blocks|blk)\.(\d{1,6})\./.exec(name)?.[1] ?? NaN);
  if (layer >= layers)
    return { code: "beyond-layers", text: `the config has ${layers} layers, counted from 0` };
  const kind = KINDS.find(({ pattern }) => pattern.test(name));
  if (kind) return kind.reason;
  const module = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  const inBody = name.startsWith("model.") || modules.has(module) || layer < layers;
  return closed || inBody ? BEARS : OTHER;
}
