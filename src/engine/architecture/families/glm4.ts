import { z } from "zod";
import { apart, block, gatedFused, layersOf, plainAttention, rms } from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { ggufForm, LAYER_NAMES } from "../description/ggufForm.ts";

const size = z.number().int().positive();
const factor = z.looseObject({ partial_rotary_factor: z.number().positive().nullish() });

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(151_552),
  intermediate_size: size.default(13_696),
  num_hidden_layers: size.default(40),
  num_key_value_heads: size.default(2),
  head_dim: size.default(128),
  max_position_embeddings: size.default(131_072),
  rms_norm_eps: z.number().positive().default(0.00000015625),
  attention_bias: z.boolean().default(true),
});

/**
 * GLM-4 (0414): norms before and behind each block, half of each head turned in pairs of neighbours, gate and up in one matrix, biases
 * on queries, keys and values. Defaults: transformers' Glm4Config.
 */
export const glm4 = family({
  modelType: "glm4",
  classes: ["Glm4ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads);
    const [inScaling, inParameters] = [it.rope_scaling, it.rope_parameters].map(
      (rope) => factor.safeParse(rope).data?.partial_rotary_factor,
    );
    const partial = inScaling ?? inParameters ?? it.partial_rotary_factor ?? 0.5;
    const rotary = rotaryFrom(it, { ...sizes, contextLength, partial });
    const norm = (path: string) => rms(path, it.rms_norm_eps);
    return {
      ...commonParts(it, { family: "glm4", className: "Glm4ForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(
            norm("input_layernorm"),
            {
              ...plainAttention(sizes),
              ...apart(sizes, { input: it.attention_bias, output: false }),
              rotary: { ...rotary, pairs: "neighbours" },
            },
            norm("post_self_attn_layernorm"),
          ),
          mlp: block(
            norm("post_attention_layernorm"),
            { ...gatedFused(it.hidden_size, it.intermediate_size), activation: it.hidden_act },
            norm("post_mlp_layernorm"),
          ),
          parallel: false,
        }),
      ),
      norm: norm("model.norm"),
    };
  },
  biases: null,
  gguf: ggufForm("glm4", {
    layer: {
      ...LAYER_NAMES,
      post_self_attn_layernorm: "post_attention_norm",
      post_mlp_layernorm: "post_ffw_norm",
      "mlp.gate_up_proj": "ffn_up",
    },
  }),
  genai: false,
});
