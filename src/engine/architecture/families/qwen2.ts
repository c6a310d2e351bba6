import { z } from "zod";
import {
  decoderConfig,
  decoderFields,
  ownBiases,
  parseConfig,
  type DecoderConfig,
} from "../decoder/decoderConfig.ts";

const count = z.number().int().nonnegative();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: z.number().int().positive().default(151_936),
  intermediate_size: z.number().int().positive().default(22_016),
  max_position_embeddings: z.number().int().positive().default(32_768),
  num_key_value_heads: z.number().int().positive().nullable().default(32),
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.number().int().positive().nullable().default(4096),
  max_window_layers: count.default(28),
  ...ownBiases,
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
});

/** The fields of config.json that it reads. */
export const QWEN2_FIELDS = Object.keys(schema.shape);

/**
 * Qwen2 and Qwen2.5: llama's equations with biases on queries, keys and values [arXiv:2407.10671]. Where `use_sliding_window`
 * is set, the layers from `max_window_layers` on have a window, or those that `layer_types` names. Defaults: transformers'
 * Qwen2Config.
 * @throws KeystoneError architecture/bad-config, architecture/quantized, architecture/unknown-rope
 */
export function readQwen2(config: unknown): DecoderConfig {
  const it = parseConfig(schema, config);
  const window = it.use_sliding_window ? it.sliding_window : null;
  const layers = Array.from({ length: it.num_hidden_layers }, (_, layer) => layer);
  const isFull = (layer: number): boolean =>
    it.layer_types ? it.layer_types[layer] !== "sliding_attention" : layer < it.max_window_layers;
  const full = new Set(layers.filter(isFull));
  return decoderConfig(it, {
    family: "qwen2",
    className: "Qwen2ForCausalLM",
    intermediateSize: it.intermediate_size,
    contextLength: it.max_position_embeddings,
    keyValueHeads: it.num_key_value_heads ?? it.num_attention_heads,
    slidingWindow: full.size === layers.length ? null : window,
    ...(window === null ? {} : { fullLayers: full }),
    attentionBias: true,
    outputBias: it.attention_bias,
    mlpBias: it.mlp_bias,
  });
}
