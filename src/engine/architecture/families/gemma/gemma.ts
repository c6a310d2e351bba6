import { z } from "zod";
import {
  commonParts,
  decoderFields,
  headSizesOf,
  requireConfig,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { apart, block, gated, layersOf, plainAttention, rms } from "../../description/equations.ts";
import { family } from "../../description/family.ts";
import { ggufForm } from "../../description/ggufForm.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  vocab_size: size.default(256_000),
  hidden_size: size.default(3072),
  intermediate_size: size.default(24_576),
  num_hidden_layers: size.default(28),
  num_attention_heads: size.default(16),
  num_key_value_heads: size.default(16),
  head_dim: size.default(256),
  hidden_act: decoderFields.hidden_act.unwrap().default("gelu_pytorch_tanh"),
  max_position_embeddings: size.default(8192),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  use_bidirectional_attention: z.boolean().nullish(),
});

/** Gemma 1 [arXiv:2403.08295]: Llama with norms of 1 + w and embeddings times √hidden. Defaults: transformers' GemmaConfig. */
export const gemma = family({
  modelType: "gemma",
  classes: ["GemmaForCausalLM"],
  schema,
  describe: (it) => {
    requireConfig(
      it.use_bidirectional_attention !== true,
      "use_bidirectional_attention is set, and a text is predicted from what stands before",
    );
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads);
    const norm = (path: string) => rms(path, it.rms_norm_eps, "1+w");
    const common = commonParts(it, { family: "gemma", className: "GemmaForCausalLM", contextLength });
    return {
      ...common,
      embedding: { ...common.embedding, scale: Math.sqrt(it.hidden_size) },
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(norm("input_layernorm"), {
            ...plainAttention(sizes),
            ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
            rotary: rotaryFrom(it, { ...sizes, contextLength }),
          }),
          mlp: block(norm("post_attention_layernorm"), {
            ...gated(it.hidden_size, it.intermediate_size),
            // the first files say gelu and mean its tanh form, as transformers reads them
            activation: it.hidden_act === "gelu" ? "gelu_pytorch_tanh" : it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: norm("model.norm"),
    };
  },
  biases: null,
  gguf: ggufForm("gemma", {
    onePlusNorms: true,
    activations: ["gelu_pytorch_tanh"],
    config: { hidden_act: "gelu_pytorch_tanh" },
    problems: ({ layers }) =>
      layers[0].attention.body.projections.kind === "apart" && layers[0].attention.body.output.bias
        ? ["it has biases of attention that the architecture gemma cannot store"]
        : [],
  }),
  genai: true,
});
