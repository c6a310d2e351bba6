import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { ggufForm } from "../description/ggufForm.ts";

const size = z.number().int().positive();
const factor = z.number().positive().default(1);

const schema = z.looseObject({
  ...decoderFields,
  intermediate_size: size.default(11_008),
  max_position_embeddings: size.default(2048),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  embedding_multiplier: factor,
  residual_multiplier: factor,
  attention_multiplier: factor,
  logits_scaling: factor,
});

/**
 * Granite 3 and 4, dense: llama's equations with four factors, on embeddings, on what each block adds, on scores, and logits divided
 * by one. Defaults: transformers' GraniteConfig.
 */
export const granite = family({
  modelType: "granite",
  classes: ["GraniteForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const common = commonParts(it, { family: "granite", className: "GraniteForCausalLM", contextLength });
    const adds = it.residual_multiplier;
    return {
      ...common,
      embedding: { ...common.embedding, scale: it.embedding_multiplier },
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(
            rms("input_layernorm", it.rms_norm_eps),
            {
              ...plainAttention(sizes),
              ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
              rotary,
              scale: it.attention_multiplier,
            },
            null,
            adds,
          ),
          mlp: block(
            rms("post_attention_layernorm", it.rms_norm_eps),
            { ...gated(it.hidden_size, it.intermediate_size, it.mlp_bias), activation: it.hidden_act },
            null,
            adds,
          ),
          parallel: false,
        }),
      ),
      norm: rms("model.norm", it.rms_norm_eps),
      head: { ...common.head, scale: 1 / it.logits_scaling },
    };
  },
  biases: null,
  gguf: ggufForm("granite", {
    interleaved: ["self_attn.q_proj", "self_attn.k_proj"],
    settings: [
      {
        ...{ key: "attention.scale", type: "f32", field: "attention_multiplier" },
        write: ({ layers }) => layers[0].attention.body.scale,
      },
      {
        key: "embedding_scale",
        type: "f32",
        field: "embedding_multiplier",
        write: (it) => it.embedding.scale,
      },
      {
        key: "residual_scale",
        type: "f32",
        field: "residual_multiplier",
        write: (it) => it.layers[0].mlp.residual,
      },
      { key: "logit_scale", type: "f32", field: "logits_scaling", write: ({ head }) => 1 / head.scale },
    ],
  }),
  genai: true,
});
