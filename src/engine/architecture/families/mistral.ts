import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../description/equations.ts";
import {
  commonParts,
  decoderFields,
  headSizesOf,
  ownBiases,
  rotaryFrom,
} from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { ggufForm, windowSetting } from "../description/ggufForm.ts";

const schema = z.looseObject({
  ...decoderFields,
  intermediate_size: z.number().int().positive().default(14_336),
  max_position_embeddings: z.number().int().positive().default(131_072),
  num_key_value_heads: z.number().int().positive().nullable().default(8),
  sliding_window: z.number().int().positive().nullable().default(4096),
  ...ownBiases,
});

/**
 * Mistral: llama's equations with a sliding window [arXiv:2310.06825], and biases only where the file has them. Defaults: transformers'
 * MistralConfig, where an absent `sliding_window` means 4,096 and `null` means none.
 */
export const mistral = family({
  modelType: "mistral",
  classes: ["MistralForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const biases = { input: it.attention_bias, output: it.attention_bias };
    return {
      ...commonParts(it, { family: "mistral", className: "MistralForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, biases),
            rotary,
            window: it.sliding_window,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gated(it.hidden_size, it.intermediate_size, it.mlp_bias),
            activation: it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: rms("model.norm", it.rms_norm_eps),
      unannouncedBiases: it.attention_bias || it.mlp_bias,
    };
  },
  biases: { always: [], flagCounts: false },
  // llama.cpp has one architecture for both; a file with a window is Mistral's
  gguf: ggufForm("llama", {
    interleaved: ["self_attn.q_proj", "self_attn.k_proj"],
    settings: [windowSetting],
    claims: (number) => Boolean(number("attention.sliding_window")),
  }),
  genai: true,
});
