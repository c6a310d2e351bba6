import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { windowKinds } from "../description/layerLists.ts";
import { ggufForm } from "../description/ggufForm.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(128_256),
  hidden_size: size.default(2048),
  intermediate_size: size.default(11_008),
  num_hidden_layers: size.default(36),
  num_attention_heads: size.default(16),
  num_key_value_heads: size.nullable().default(4),
  max_position_embeddings: size.default(32_768),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullish(),
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
  no_rope_layer_interval: size.default(4),
  layer_types: windowKinds.nullish(),
});

const THETA = 2_000_000;

/** SmolLM3: llama's equations, with positions left out of every fourth layer. Defaults: transformers' SmolLM3Config. */
export const smollm3 = family({
  modelType: "smollm3",
  classes: ["SmolLM3ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom({ ...it, rope_theta: it.rope_theta ?? THETA }, { ...sizes, contextLength });
    const turns = (layer: number): boolean =>
      it.no_rope_layers ? it.no_rope_layers[layer] === 1 : (layer + 1) % it.no_rope_layer_interval !== 0;
    const slides = (layer: number): boolean =>
      it.layer_types ? it.layer_types[layer] === "sliding_attention" : it.use_sliding_window && !turns(layer);
    return {
      ...commonParts(it, { family: "smollm3", className: "SmolLM3ForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => `${turns(layer) ? "rope" : "nope"} ${slides(layer) ? "sliding" : "full"}`,
        (kind) => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
            rotary: kind.startsWith("rope") ? rotary : null,
            window: kind.endsWith("sliding") ? (it.sliding_window ?? null) : null,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gated(it.hidden_size, it.intermediate_size, it.mlp_bias),
            activation: it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: rms("model.norm", it.rms_norm_eps),
    };
  },
  biases: null,
  gguf: ggufForm("smollm3", {
    interleaved: ["self_attn.q_proj", "self_attn.k_proj"],
    problems: ({ layers }) => {
      const wrong = layers.findIndex(
        ({ attention }, layer) => (attention.body.rotary === null) !== (layer % 4 === 3),
      );
      return wrong < 0
        ? []
        : [`its layer ${wrong} is not as llama.cpp has it: it leaves positions out of every fourth layer`];
    },
  }),
  genai: true,
});
