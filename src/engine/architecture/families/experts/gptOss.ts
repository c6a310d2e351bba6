import { z } from "zod";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../../description/commonFields.ts";
import { apart, block, gatedExperts, layersOf, plainAttention, rms } from "../../description/equations.ts";
import { family } from "../../description/family.ts";
import { windowKinds } from "../../description/layerLists.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(201_088),
  hidden_size: size.default(2880),
  intermediate_size: size.default(2880),
  num_hidden_layers: size.default(36),
  num_attention_heads: size.default(64),
  num_key_value_heads: size.nullable().default(8),
  head_dim: size.default(64),
  rms_norm_eps: z.number().positive().default(1e-5),
  max_position_embeddings: size.default(131_072),
  attention_bias: z.boolean().default(true),
  sliding_window: size.nullable().default(128),
  layer_types: windowKinds.nullish(),
  num_experts_per_tok: size.default(4),
  num_local_experts: size.default(128),
  swiglu_alpha: z.number().positive().default(1.702),
  swiglu_limit: z.number().positive().default(7),
});

const EXPERT_PATHS = {
  router: "mlp.router",
  gate: "mlp.experts.*.gate_proj",
  up: "mlp.experts.*.up_proj",
  down: "mlp.experts.*.down_proj",
} as const;

/** Where the config says nothing of rotary scaling. */
const YARN = {
  ...{ rope_type: "yarn", factor: 32, beta_fast: 32, beta_slow: 1 },
  ...{ truncate: false, original_max_position_embeddings: 4096 },
  ...{ rope_theta: undefined, partial_rotary_factor: undefined },
};

/**
 * gpt-oss [arXiv:2508.10925]: biases everywhere, a sink in every head's softmax, every second layer with a window, the first one
 * included; experts of cut gates, weighed by the softmax over the chosen ones. Defaults: transformers' GptOssConfig.
 */
export const gptOss = family({
  modelType: "gpt_oss",
  classes: ["GptOssForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rope = {
      ...it,
      rope_theta: it.rope_theta ?? 150_000,
      rope_parameters: it.rope_parameters ?? (it.rope_scaling ? null : YARN),
    };
    const rotary = rotaryFrom(rope, { ...sizes, contextLength });
    const slides = (layer: number): boolean =>
      it.layer_types ? it.layer_types[layer] === "sliding_attention" : layer % 2 === 0;
    return {
      ...commonParts(it, { family: "gpt_oss", className: "GptOssForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (slides(layer) ? "sliding" : "full"),
        (kind) => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
            rotary,
            window: kind === "sliding" ? it.sliding_window : null,
            sinks: "self_attn.sinks",
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gatedExperts(it.hidden_size, it.intermediate_size, EXPERT_PATHS, {
              count: it.num_local_experts,
              perToken: it.num_experts_per_tok,
              normalized: true,
              bias: true,
              clamped: { alpha: it.swiglu_alpha, limit: it.swiglu_limit },
              stacked: { by: "columns", only: true },
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
