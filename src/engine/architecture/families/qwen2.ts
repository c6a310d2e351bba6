import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../description/equations.ts";
import {
  commonParts,
  decoderFields,
  headSizesOf,
  ownBiases,
  rotaryFrom,
} from "../description/commonFields.ts";
import { windowKinds } from "../description/layerLists.ts";
import { family } from "../description/family.ts";
import { biasesNotStored, ggufForm, headsFillHidden, windowSetting } from "../description/ggufForm.ts";

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
  layer_types: windowKinds.nullish(),
});

/**
 * Qwen2 and Qwen2.5: llama's equations with biases on queries, keys and values [arXiv:2407.10671]. Where `use_sliding_window`
 * is set, the layers from `max_window_layers` on have a window, or those that `layer_types` names. Defaults: transformers'
 * Qwen2Config.
 */
export const qwen2 = family({
  modelType: "qwen2",
  classes: ["Qwen2ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const window = it.use_sliding_window ? it.sliding_window : null;
    const isFull = (layer: number): boolean =>
      it.layer_types ? it.layer_types[layer] !== "sliding_attention" : layer < it.max_window_layers;
    return {
      ...commonParts(it, { family: "qwen2", className: "Qwen2ForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (window === null || isFull(layer) ? "full" : "sliding"),
        (kind) => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, { input: true, output: it.attention_bias }),
            rotary,
            window: kind === "full" ? null : window,
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
  biases: { always: ["q_proj", "k_proj", "v_proj"], flagCounts: false },
  gguf: ggufForm("qwen2", {
    settings: [{ ...windowSetting, field: null }],
    problems: (decoder) => [...biasesNotStored(decoder), ...headsFillHidden(decoder)],
  }),
  genai: true,
});
