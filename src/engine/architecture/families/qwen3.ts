import { z } from "zod";
import {
  apart,
  block,
  gated,
  layersOf,
  plainAttention,
  queryKeyNorms,
  rms,
} from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { windowKinds } from "../description/layerLists.ts";
import { ggufForm, LAYER_NAMES, QUERY_KEY_NORM_NAMES } from "../description/ggufForm.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(151_936),
  intermediate_size: size.default(22_016),
  max_position_embeddings: size.default(32_768),
  num_key_value_heads: size.nullable().default(32),
  head_dim: size.default(128),
  attention_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.number().int().nonnegative().default(28),
  layer_types: windowKinds.nullish(),
});

/**
 * Qwen3, dense: llama's equations with an RMSNorm over every head of the queries and of the keys before they are turned
 * [arXiv:2505.09388]. Windows as in Qwen2. Defaults: transformers' Qwen3Config.
 */
export const qwen3 = family({
  modelType: "qwen3",
  classes: ["Qwen3ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const window = it.use_sliding_window ? it.sliding_window : null;
    const isFull = (layer: number): boolean =>
      it.layer_types ? it.layer_types[layer] !== "sliding_attention" : layer < it.max_window_layers;
    return {
      ...commonParts(it, { family: "qwen3", className: "Qwen3ForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (window === null || isFull(layer) ? "full" : "sliding"),
        (kind) => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
            queryKeyNorm: queryKeyNorms("head", (path) => rms(path, it.rms_norm_eps)),
            rotary,
            window: kind === "full" ? null : window,
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
  gguf: ggufForm("qwen3", {
    layer: { ...LAYER_NAMES, ...QUERY_KEY_NORM_NAMES },
    problems: ({ layers }) =>
      layers[0].attention.body.output.bias ? ["it has biases that the architecture qwen3 cannot store"] : [],
  }),
  genai: true,
});
