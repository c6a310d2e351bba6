import { z } from "zod";
import {
  decoderConfig,
  decoderFields,
  ownBiases,
  parseConfig,
  type DecoderConfig,
} from "../decoder/decoderConfig.ts";

const size = z.number().int().positive();
const factor = z.looseObject({ partial_rotary_factor: z.number().positive().nullish() });

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(32_064),
  hidden_size: size.default(3072),
  intermediate_size: size.default(8192),
  max_position_embeddings: size.default(4096),
  original_max_position_embeddings: size.nullish().transform((value) => value ?? 4096),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: size.nullish(),
  ...ownBiases,
});

/** The fields of config.json that it reads. */
export const PHI3_FIELDS = Object.keys(schema.shape);

/**
 * Phi-3 and Phi-4 (the text models): llama's equations with one matrix for queries, keys and values and one for gate and up,
 * long texts by factors for each channel, and heads that may be turned in part [arXiv:2404.14219]. Defaults: transformers'
 * Phi3Config.
 * @throws KeystoneError architecture/bad-config, architecture/quantized, architecture/unknown-rope
 */
export function readPhi3(config: unknown): DecoderConfig {
  const it = parseConfig(schema, config);
  const inRope = [it.rope_scaling, it.rope_parameters].map(
    (rope) => factor.safeParse(rope).data?.partial_rotary_factor,
  );
  return decoderConfig(it, {
    family: "phi3",
    className: "Phi3ForCausalLM",
    intermediateSize: it.intermediate_size,
    contextLength: it.max_position_embeddings,
    keyValueHeads: it.num_key_value_heads ?? it.num_attention_heads,
    slidingWindow: it.sliding_window ?? null,
    fused: true,
    attentionBias: it.attention_bias,
    outputBias: it.attention_bias,
    mlpBias: it.mlp_bias,
    partialRotary: inRope[0] ?? inRope[1] ?? it.partial_rotary_factor ?? 1,
  });
}
