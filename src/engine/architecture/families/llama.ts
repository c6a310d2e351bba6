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
  intermediate_size: z.number().int().positive().default(11_008),
  max_position_embeddings: z.number().int().positive().default(2048),
  ...ownBiases,
});

/** The fields of config.json that it reads. */
export const LLAMA_FIELDS = Object.keys(schema.shape);

/**
 * Llama 1 to 3 and everything published under that name [arXiv:2302.13971]. Defaults: transformers' LlamaConfig.
 * @throws KeystoneError architecture/bad-config, architecture/quantized, architecture/unknown-rope
 */
export function readLlama(config: unknown): DecoderConfig {
  const it = parseConfig(schema, config);
  return decoderConfig(it, {
    family: "llama",
    className: "LlamaForCausalLM",
    intermediateSize: it.intermediate_size,
    contextLength: it.max_position_embeddings,
    keyValueHeads: it.num_key_value_heads ?? it.num_attention_heads,
    slidingWindow: null,
    attentionBias: it.attention_bias,
    outputBias: it.attention_bias,
    mlpBias: it.mlp_bias,
  });
}
