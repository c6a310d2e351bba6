import { z } from "zod";
import {
  apart,
  block,
  gated,
  layersOf,
  plainAttention,
  queryKeyNorms,
  rms,
} from "../../description/equations.ts";
import {
  activationName,
  commonParts,
  decoderFields,
  headSizesOf,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";
import { windowKinds } from "../../description/layerLists.ts";
import { ggufForm, QUERY_KEY_NORM_NAMES, SANDWICH_NAMES } from "../../description/ggufForm.ts";

import { ropeOfKind, ropesByKind } from "../../rope/ropeConfig.ts";
import { gemmaPatternProblems, gemmaScalar, gemmaScaleProblems } from "./gemmaInLlama.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  ...ropesByKind,
  vocab_size: size.default(262_208),
  hidden_size: size.default(2304),
  intermediate_size: size.default(9216),
  num_hidden_layers: size.default(26),
  num_attention_heads: size.default(8),
  num_key_value_heads: size.default(4),
  head_dim: size.default(256),
  hidden_activation: activationName.default("gelu_pytorch_tanh"),
  max_position_embeddings: size.default(131_072),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: size.nullable().default(4096),
  sliding_window_pattern: size.default(6),
  layer_types: windowKinds.nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
  rope_local_base_freq: z.number().positive().default(10_000),
});

/** Layers of the 27B model, by which llama.cpp knows it. */
const LARGEST_LAYERS = 62;

/**
 * Gemma 3, the text model [arXiv:2503.19786]: Gemma 2 without the cap on scores, with norms over each head of queries and keys, five
 * layers with a window and a rotary base of their own to each one without. Defaults: transformers' Gemma3TextConfig.
 */
export const gemma3 = family({
  modelType: "gemma3_text",
  classes: ["Gemma3ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads);
    const norm = (path: string) => rms(path, it.rms_norm_eps, "1+w");
    const common = commonParts(it, { family: "gemma3_text", className: "Gemma3ForCausalLM", contextLength });
    const slides = (layer: number): boolean =>
      it.layer_types
        ? it.layer_types[layer] === "sliding_attention"
        : (layer + 1) % it.sliding_window_pattern !== 0;
    const thetas = { full_attention: it.rope_theta ?? 1_000_000, sliding_attention: it.rope_local_base_freq };
    return {
      ...common,
      embedding: { ...common.embedding, scale: Math.sqrt(it.hidden_size) },
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (slides(layer) ? "sliding_attention" : "full_attention"),
        (kind) => ({
          attention: block(
            norm("input_layernorm"),
            {
              ...plainAttention(sizes),
              ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
              queryKeyNorm: queryKeyNorms("head", norm),
              rotary: rotaryFrom(ropeOfKind(it, kind, thetas[kind]), { ...sizes, contextLength }),
              scale: it.query_pre_attn_scalar ** -0.5,
              window: kind === "sliding_attention" ? it.sliding_window : null,
            },
            norm("post_attention_layernorm"),
          ),
          mlp: block(
            norm("pre_feedforward_layernorm"),
            { ...gated(it.hidden_size, it.intermediate_size), activation: it.hidden_activation },
            norm("post_feedforward_layernorm"),
          ),
          parallel: false,
        }),
      ),
      norm: norm("model.norm"),
      head: { ...common.head, softcap: it.final_logit_softcapping ?? null },
    };
  },
  biases: null,
  gguf: ggufForm("gemma3", {
    layer: { ...SANDWICH_NAMES, ...QUERY_KEY_NORM_NAMES },
    onePlusNorms: true,
    windows: true,
    activations: ["gelu_pytorch_tanh"],
    config: { hidden_activation: "gelu_pytorch_tanh", rope_local_base_freq: 10_000 },
    settings: [
      {
        ...{ key: "attention.sliding_window", type: "u32", field: "sliding_window" },
        write: ({ layers }) => layers[0].attention.body.window ?? 0,
      },
      {
        ...{ key: "final_logit_softcapping", type: "f32", field: "final_logit_softcapping" },
        write: ({ head }) => head.softcap,
      },
    ],
    complete: gemmaScalar(LARGEST_LAYERS),
    problems: (decoder) => [
      ...gemmaScaleProblems(decoder, LARGEST_LAYERS),
      ...gemmaPatternProblems(decoder, 6),
      ...(decoder.layers[0].attention.body.rotary?.settings.theta === 10_000
        ? []
        : ["its layers with windows turn by another base than 10,000, which llama.cpp takes"]),
    ],
  }),
  genai: true,
});
