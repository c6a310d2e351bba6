import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../../description/equations.ts";
import {
  activationName,
  commonParts,
  decoderFields,
  headSizesOf,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";
import { windowKinds } from "../../description/layerLists.ts";
import { ggufForm, SANDWICH_NAMES } from "../../description/ggufForm.ts";
import { gemmaPatternProblems, gemmaScalar, gemmaScaleProblems } from "./gemmaInLlama.ts";

const size = z.number().int().positive();
const cap = z.number().positive().nullable();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(256_000),
  hidden_size: size.default(2304),
  intermediate_size: size.default(9216),
  num_hidden_layers: size.default(26),
  num_attention_heads: size.default(8),
  num_key_value_heads: size.default(4),
  head_dim: size.default(256),
  hidden_activation: activationName.nullish(),
  max_position_embeddings: size.default(8192),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: size.nullable().default(4096),
  layer_types: windowKinds.nullish(),
  final_logit_softcapping: cap.default(30),
  attn_logit_softcapping: cap.default(50),
});

/** Layers of the 27B model, by which llama.cpp knows it. */
const LARGEST_LAYERS = 46;

/**
 * Gemma 2 [arXiv:2408.00118]: norms with 1 + w before and behind each block, caps on scores and logits, embeddings times √hidden,
 * every second layer with a window, the first one included. Defaults: transformers' Gemma2Config.
 */
export const gemma2 = family({
  modelType: "gemma2",
  classes: ["Gemma2ForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const norm = (path: string) => rms(path, it.rms_norm_eps, "1+w");
    const common = commonParts(it, { family: "gemma2", className: "Gemma2ForCausalLM", contextLength });
    const slides = (layer: number): boolean =>
      it.layer_types ? it.layer_types[layer] === "sliding_attention" : layer % 2 === 0;
    return {
      ...common,
      embedding: { ...common.embedding, scale: Math.sqrt(it.hidden_size) },
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (slides(layer) ? "sliding" : "full"),
        (kind) => ({
          attention: block(
            norm("input_layernorm"),
            {
              ...plainAttention(sizes),
              ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
              rotary,
              scale: it.query_pre_attn_scalar ** -0.5,
              softcap: it.attn_logit_softcapping,
              window: kind === "sliding" ? it.sliding_window : null,
            },
            norm("post_attention_layernorm"),
          ),
          mlp: block(
            norm("pre_feedforward_layernorm"),
            {
              ...gated(it.hidden_size, it.intermediate_size),
              activation: it.hidden_activation ?? "gelu_pytorch_tanh",
            },
            norm("post_feedforward_layernorm"),
          ),
          parallel: false,
        }),
      ),
      norm: norm("model.norm"),
      head: { ...common.head, softcap: it.final_logit_softcapping },
    };
  },
  biases: null,
  gguf: ggufForm("gemma2", {
    layer: SANDWICH_NAMES,
    onePlusNorms: true,
    windows: true,
    activations: ["gelu_pytorch_tanh"],
    config: { hidden_activation: "gelu_pytorch_tanh" },
    settings: [
      {
        ...{ key: "attn_logit_softcapping", type: "f32", field: "attn_logit_softcapping" },
        write: ({ layers }) => layers[0].attention.body.softcap ?? 0,
        read: (value) => value || null,
      },
      {
        ...{ key: "final_logit_softcapping", type: "f32", field: "final_logit_softcapping" },
        write: ({ head }) => head.softcap ?? 0,
        read: (value) => value || null,
      },
      {
        ...{ key: "attention.sliding_window", type: "u32", field: "sliding_window" },
        write: ({ layers }) => layers[0].attention.body.window ?? 0,
      },
    ],
    complete: gemmaScalar(LARGEST_LAYERS),
    problems: (decoder) => [
      ...gemmaScaleProblems(decoder, LARGEST_LAYERS),
      ...gemmaPatternProblems(decoder, 2),
    ],
  }),
  genai: true,
});
