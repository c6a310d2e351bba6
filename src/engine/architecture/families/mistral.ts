import { z } from "zod";
import {
  decoderConfig,
  decoderFields,
  ownBiases,
  parseConfig,
  type DecoderConfig,
} from "../decoder/decoderConfig.ts";

const schema = z.looseObject({
  ...decoderFields,
  intermediate_size: z.number().int().positive().default(14_336),
  max_position_embeddings: z.number().int().positive().default(131_072),
  num_key_value_heads: z.number().int().positive().nullable().default(8),
  sliding_window: z.number().int().positive().nullable().default(4096),
  ...ownBiases,
});

/** The fields of config.json that it reads. */
export const MISTRAL_FIELDS = Object.keys(schema.shape);

/**
 * Mistral: llama's equations with a sliding window [arXiv:2310.06825], and biases only where the file has them. Defaults: transformers'
 * MistralConfig, where an absent `sliding_window` means 4,096 and `null` means none.
 * @throws KeystoneError architecture/bad-config, architecture/quantized, architecture/unknown-rope
 */
export function readMistral(config: unknown): DecoderConfig {
  const it = parseConfig(schema, config);
  return decoderConfig(it, {
    family: "mistral",
    className: "MistralForCausalLM",
    intermediateSize: it.intermediate_size,
    contextLength: it.max_position_embeddings,
    keyValueHeads: it.num_key_value_heads ?? it.num_attention_heads,
    slidingWindow: it.sliding_window,
    attentionBias: it.attention_bias,
    outputBias: it.attention_bias,
    mlpBias: it.mlp_bias,
  });
}
