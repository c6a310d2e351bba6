import { z } from "zod";
import { block, gatedFused, layersOf, plainAttention, rms, together } from "../description/equations.ts";
import {
  commonParts,
  decoderFields,
  headSizesOf,
  ownBiases,
  rotaryFrom,
} from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { biasesNotStored, ggufForm, headsFillHidden, LAYER_NAMES } from "../description/ggufForm.ts";

const size = z.number().int().positive();
const factor = z.looseObject({ partial_rotary_factor: z.number().positive().nullish() });

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(32_064),
  hidden_size: size.default(3072),
  intermediate_size: size.default(8192),
  max_position_embeddings: size.default(4096),
  original_max_position_embeddings: size.nullish().transform((value) => value ?? 4096),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: size.nullish(),
  ...ownBiases,
});

/**
 * Phi-3 and Phi-4 (the text models): llama's equations with one matrix for queries, keys and values and one for gate and up,
 * long texts by factors for each channel, and heads that may be turned in part [arXiv:2404.14219]. Defaults: transformers'
 * Phi3Config.
 */
export const phi3 = family({
  modelType: "phi3",
  classes: ["Phi3ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const inRope = [it.rope_scaling, it.rope_parameters].map(
      (rope) => factor.safeParse(rope).data?.partial_rotary_factor,
    );
    const partial = inRope[0] ?? inRope[1] ?? it.partial_rotary_factor ?? 1;
    const rotary = rotaryFrom(it, { ...sizes, contextLength, partial });
    const bias = it.attention_bias;
    return {
      ...commonParts(it, { family: "phi3", className: "Phi3ForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...together(
              sizes,
              "blocks",
              { path: "self_attn.qkv_proj", bias },
              { path: "self_attn.o_proj", bias },
            ),
            rotary,
            window: it.sliding_window ?? null,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gatedFused(it.hidden_size, it.intermediate_size, it.mlp_bias),
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
  gguf: ggufForm("phi3", {
    layer: {
      ...LAYER_NAMES,
      "self_attn.qkv_proj": "attn_qkv",
      "mlp.gate_up_proj": "ffn_up",
    },
    settings: [
      {
        ...{ key: "attention.sliding_window", type: "u32", field: "sliding_window" },
        write: ({ layers }) => layers[0].attention.body.window ?? 0,
        read: (value) => value || null,
      },
      {
        ...{ key: "rope.scaling.original_context_length", type: "u32" },
        field: "original_max_position_embeddings",
        // LongRoPE's own is written with its factors
        write: ({ layers, contextLength }) =>
          layers[0].attention.body.rotary?.settings.kind === "longrope" ? null : contextLength,
      },
    ],
    problems: (decoder) => [...biasesNotStored(decoder), ...headsFillHidden(decoder)],
  }),
  genai: true,
});
