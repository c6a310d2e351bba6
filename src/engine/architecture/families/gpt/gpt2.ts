import { z } from "zod";
import {
  block,
  layerNorm,
  layersOf,
  plainAttention,
  plainMlp,
  together,
} from "../../description/equations.ts";
import {
  activationName,
  headSizesOf,
  packedWeights,
  refusePacked,
  requireConfig,
} from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";
import { ggufForm } from "../../description/ggufForm.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...packedWeights,
  vocab_size: size.default(50_257),
  n_positions: size.default(1024),
  n_embd: size.default(768),
  n_layer: size.default(12),
  n_head: size.default(12),
  n_inner: size.nullish(),
  activation_function: activationName.default("gelu_new"),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
});

/**
 * GPT-2: learned positions, LayerNorms, one matrix for queries, keys and values, an MLP of two matrices; matrices are stored (in, out).
 * Defaults: transformers' GPT2Config.
 */
export const gpt2 = family({
  modelType: "gpt2",
  classes: ["GPT2LMHeadModel"],
  schema,
  describe: (it) => {
    refusePacked(it);
    requireConfig(
      !it.scale_attn_by_inverse_layer_idx,
      "scale_attn_by_inverse_layer_idx is set, which no equation here reads",
    );
    const sizes = headSizesOf({ hidden_size: it.n_embd, num_attention_heads: it.n_head }, it.n_head);
    const norm = (path: string) => layerNorm(path, it.layer_norm_epsilon);
    return {
      ...{ name: it.architectures?.[0] ?? "GPT2LMHeadModel", family: "gpt2", contextLength: it.n_positions },
      ...{ hiddenSize: it.n_embd, vocabulary: it.vocab_size, layersPath: "transformer.h" },
      embedding: {
        ...{ tensor: "transformer.wte.weight", scale: 1 },
        positions: { tensor: "transformer.wpe.weight", rows: it.n_positions, offset: 0 },
      },
      layers: layersOf(
        it.n_layer,
        () => "all",
        () => ({
          attention: block(norm("ln_1"), {
            ...plainAttention(sizes),
            ...together(
              sizes,
              "blocks",
              { path: "attn.c_attn", bias: true },
              { path: "attn.c_proj", bias: true },
            ),
            rotary: null,
            scale: it.scale_attn_weights ? 1 / Math.sqrt(sizes.headSize) : 1,
          }),
          mlp: block(norm("ln_2"), {
            ...plainMlp(it.n_embd, it.n_inner ?? 4 * it.n_embd, { up: "mlp.c_fc", down: "mlp.c_proj" }, true),
            activation: it.activation_function,
          }),
          parallel: false,
        }),
      ),
      norm: norm("transformer.ln_f"),
      head: { tensor: "lm_head.weight", tied: it.tie_word_embeddings, bias: null, scale: 1, softcap: null },
      unannouncedBiases: false,
    };
  },
  biases: null,
  transposed: ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"],
  gguf: ggufForm("gpt2", {
    layersPath: "transformer.h",
    layer: {
      ...{ ln_1: "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output" },
      ...{ ln_2: "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down" },
    },
    outer: {
      "transformer.wte.weight": "token_embd.weight",
      "transformer.wpe.weight": "position_embd.weight",
      "transformer.ln_f.weight": "output_norm.weight",
      "transformer.ln_f.bias": "output_norm.bias",
      "lm_head.weight": "output.weight",
    },
    activations: ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"],
    config: { hidden_act: "gelu_new" },
    fields: {
      ...{ hidden_size: "n_embd", intermediate_size: "n_inner", num_hidden_layers: "n_layer" },
      ...{ num_attention_heads: "n_head", max_position_embeddings: "n_positions" },
      ...{ hidden_act: "activation_function", layer_norm_eps: "layer_norm_epsilon" },
    },
    problems: ({ layers }) => {
      const { scale, headSize } = layers[0].attention.body;
      return scale === 1 / Math.sqrt(headSize) ? [] : ["it does not scale scores, and llama.cpp does"];
    },
  }),
  genai: false,
});
