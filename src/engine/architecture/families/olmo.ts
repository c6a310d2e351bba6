import { z } from "zod";
import { apart, bareLayerNorm, block, gated, layersOf, plainAttention } from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { ggufForm } from "../description/ggufForm.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(50_304),
  intermediate_size: size.default(11_008),
  max_position_embeddings: size.default(2048),
  attention_bias: z.boolean().default(false),
  clip_qkv: z.number().positive().nullish(),
});

/** LayerNorm's ε, which no config states. */
const EPSILON = 1e-5;

/**
 * OLMo 1B and 7B of 2024: llama's equations with LayerNorms that have no weights, and queries, keys and values cut to ±clip_qkv
 * [arXiv:2402.00838]. Defaults: transformers' OlmoConfig.
 */
export const olmo = family({
  modelType: "olmo",
  classes: ["OlmoForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const biases = { input: it.attention_bias, output: it.attention_bias };
    return {
      ...commonParts(it, { family: "olmo", className: "OlmoForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(bareLayerNorm("input_layernorm", EPSILON), {
            ...plainAttention(sizes),
            ...apart(sizes, biases),
            rotary,
            clip: it.clip_qkv ?? null,
          }),
          mlp: block(bareLayerNorm("post_attention_layernorm", EPSILON), {
            ...gated(it.hidden_size, it.intermediate_size),
            activation: it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: bareLayerNorm("model.norm", EPSILON),
    };
  },
  biases: null,
  gguf: ggufForm("olmo", {
    interleaved: ["self_attn.q_proj", "self_attn.k_proj"],
    settings: [
      {
        ...{ key: "attention.clamp_kqv", type: "f32", field: "clip_qkv" },
        write: ({ layers }) => layers[0].attention.body.clip,
      },
    ],
    problems: ({ layers }) =>
      layers[0].attention.body.output.bias ? ["it has biases that the architecture olmo cannot store"] : [],
  }),
  genai: true,
});
