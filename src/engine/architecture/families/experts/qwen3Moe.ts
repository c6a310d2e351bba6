import { z } from "zod";
import {
  apart,
  block,
  gated,
  gatedExperts,
  layersOf,
  plainAttention,
  queryKeyNorms,
  rms,
} from "../../description/equations.ts";
import {
  commonParts,
  decoderFields,
  headSizesOf,
  requireConfig,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(151_936),
  hidden_size: size.default(2048),
  intermediate_size: size.default(6144),
  num_hidden_layers: size.default(24),
  max_position_embeddings: size.default(32_768),
  num_key_value_heads: size.default(4),
  attention_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullish().transform((value) => (value === undefined ? 4096 : value)),
  decoder_sparse_step: size.default(1),
  mlp_only_layers: z
    .array(z.number().int().nonnegative())
    .nullish()
    .transform((layers) => layers ?? []),
  moe_intermediate_size: size.default(768),
  num_experts_per_tok: size.default(8),
  num_experts: z.number().int().nonnegative().default(128),
  norm_topk_prob: z.boolean().default(false),
  scoring_func: z.string().nullish(),
});

const EXPERT_PATHS = {
  router: "mlp.gate",
  gate: "mlp.experts.*.gate_proj",
  up: "mlp.experts.*.up_proj",
  down: "mlp.experts.*.down_proj",
} as const;

/**
 * Qwen3, mixtures of experts [arXiv:2505.09388]: Qwen3's attention, one window for all layers; MLPs of all layers are experts but for
 * those that `mlp_only_layers` and `decoder_sparse_step` leave dense. Defaults: transformers' Qwen3MoeConfig.
 */
export const qwen3Moe = family({
  modelType: "qwen3_moe",
  classes: ["Qwen3MoeForCausalLM"],
  schema,
  describe: (it) => {
    requireConfig(
      it.scoring_func == null || it.scoring_func === "softmax",
      `its router scores experts by ${it.scoring_func}, and qwen3_moe by softmax (scoring_func)`,
    );
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const isSparse = (layer: number): boolean =>
      !it.mlp_only_layers.includes(layer) && it.num_experts > 0 && (layer + 1) % it.decoder_sparse_step === 0;
    return {
      ...commonParts(it, { family: "qwen3_moe", className: "Qwen3MoeForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (isSparse(layer) ? "experts" : "dense"),
        (kind) => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
            queryKeyNorm: queryKeyNorms("head", (path) => rms(path, it.rms_norm_eps)),
            rotary,
            window: it.use_sliding_window ? it.sliding_window : null,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...(kind === "dense"
              ? gated(it.hidden_size, it.intermediate_size)
              : gatedExperts(it.hidden_size, it.moe_intermediate_size, EXPERT_PATHS, {
                  count: it.num_experts,
                  perToken: it.num_experts_per_tok,
                  normalized: it.norm_topk_prob,
                })),
            activation: it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: rms("model.norm", it.rms_norm_eps),
    };
  },
  biases: null,
  gguf: null,
  genai: false,
});
