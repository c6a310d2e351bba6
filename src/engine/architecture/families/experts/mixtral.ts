import { z } from "zod";
import { apart, block, gatedExperts, layersOf, plainAttention, rms } from "../../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  intermediate_size: size.default(14_336),
  max_position_embeddings: size.default(131_072),
  num_key_value_heads: size.nullable().default(8),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: size.nullish(),
  num_experts_per_tok: size.default(2),
  num_local_experts: size.default(8),
});

const EXPERT_PATHS = {
  router: "block_sparse_moe.gate",
  gate: "block_sparse_moe.experts.*.w1",
  up: "block_sparse_moe.experts.*.w3",
  down: "block_sparse_moe.experts.*.w2",
} as const;

/**
 * Mixtral: Mistral's attention and experts in every layer, weighed by the softmax over the chosen ones [arXiv:2401.04088]. Defaults:
 * transformers' MixtralConfig.
 */
export const mixtral = family({
  modelType: "mixtral",
  classes: ["MixtralForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom({ ...it, rope_theta: it.rope_theta ?? 1_000_000 }, { ...sizes, contextLength });
    return {
      ...commonParts(it, { family: "mixtral", className: "MixtralForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes),
            rotary,
            window: it.sliding_window ?? null,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gatedExperts(it.hidden_size, it.intermediate_size, EXPERT_PATHS, {
              count: it.num_local_experts,
              perToken: it.num_experts_per_tok,
              normalized: true,
              // transformers 5 saves its own form under names of its own
              stacked: { router: "mlp.gate" },
            }),
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
