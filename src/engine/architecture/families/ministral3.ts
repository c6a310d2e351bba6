import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { ggufForm } from "../description/ggufForm.ts";

const size = z.number().int().positive();

/** What rope_parameters hold beside the rotary embedding. */
const temperature = z.looseObject({
  llama_4_scaling_beta: z.number().nonnegative(),
  original_max_position_embeddings: size,
});
/** As published, where a config has none. */
const ROPE = {
  ...{ rope_type: "yarn", rope_theta: 1_000_000, factor: 16, original_max_position_embeddings: 16_384 },
  ...{ beta_fast: 32, beta_slow: 1, mscale: 1, mscale_all_dim: 1, llama_4_scaling_beta: 0.1 },
  ...{ partial_rotary_factor: undefined },
};

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(131_072),
  intermediate_size: size.default(14_336),
  num_hidden_layers: size.default(34),
  num_key_value_heads: size.nullable().default(8),
  head_dim: size.nullable().default(128),
  max_position_embeddings: size.default(262_144),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: size.nullish(),
});

/**
 * Ministral 3, the text model: Mistral's equations with queries that grow with the logarithm of their position, 1 + β·ln(1 +
 * ⌊position / original context⌋). Defaults: transformers' Ministral3Config.
 */
export const ministral3 = family({
  modelType: "ministral3",
  classes: ["Ministral3ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rope = it.rope_scaling ?? it.rope_parameters ?? ROPE;
    const rotary = rotaryFrom(
      { ...it, rope_scaling: null, rope_parameters: rope },
      { ...sizes, contextLength },
    );
    const grows = temperature.safeParse(rope).data;
    return {
      ...commonParts(it, { family: "ministral3", className: "Ministral3ForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes),
            rotary,
            window: it.sliding_window ?? null,
            queryTemperature: grows
              ? {
                  beta: grows.llama_4_scaling_beta,
                  originalContext: grows.original_max_position_embeddings,
                }
              : null,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gated(it.hidden_size, it.intermediate_size),
            activation: it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: rms("model.norm", it.rms_norm_eps),
    };
  },
  biases: null,
  gguf: ggufForm("mistral3", {
    interleaved: ["self_attn.q_proj", "self_attn.k_proj"],
    settings: [
      {
        ...{ key: "attention.temperature_scale", type: "f32", field: "llama_4_scaling_beta" },
        write: ({ layers }) => layers[0].attention.body.queryTemperature?.beta ?? null,
      },
    ],
    complete: ({ rope_scaling: scaling, rope_theta, llama_4_scaling_beta }) => ({
      ...{ rope_scaling: null, rope_theta: null, llama_4_scaling_beta: null },
      rope_parameters: { ...(scaling as object | undefined), rope_theta, llama_4_scaling_beta },
    }),
    problems: ({ layers }) =>
      layers[0].attention.body.window === null
        ? []
        : ["it has a sliding window, and llama.cpp has none there"],
  }),
  genai: true,
});
