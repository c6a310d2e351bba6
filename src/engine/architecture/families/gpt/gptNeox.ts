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
  commonParts,
  headSizesOf,
  packedWeights,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { ropeFields } from "../../rope/ropeConfig.ts";
import { family } from "../../description/family.ts";
import { ggufForm } from "../../description/ggufForm.ts";

const size = z.number().int().positive();
const factor = z.looseObject({ partial_rotary_factor: z.number().positive().nullish() });
const schema = z.looseObject({
  ...packedWeights,
  ...ropeFields,
  vocab_size: size.default(50_432),
  hidden_size: size.default(6144),
  num_hidden_layers: size.default(44),
  num_attention_heads: size.default(64),
  intermediate_size: size.default(24_576),
  hidden_act: activationName.default("gelu"),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: size.default(2048),
  layer_norm_eps: z.number().positive().default(1e-5),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  rotary_pct: z.number().positive().nullish(),
  rotary_emb_base: z.number().positive().nullish(),
});

/**
 * GPT-NeoX and Pythia [arXiv:2204.06745]: LayerNorms, a quarter of each head turned, queries, keys and values of a head one after the
 * other in one matrix, attention and MLP side by side. Defaults: transformers' GPTNeoXConfig.
 */
export const gptNeox = family({
  modelType: "gpt_neox",
  classes: ["GPTNeoXForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_attention_heads);
    const [inScaling, inParameters] = [it.rope_scaling, it.rope_parameters].map(
      (rope) => factor.safeParse(rope).data?.partial_rotary_factor,
    );
    const partial = inScaling ?? inParameters ?? it.partial_rotary_factor ?? it.rotary_pct ?? 0.25;
    const theta = it.rope_theta ?? it.rotary_emb_base ?? 10_000;
    const rotary = rotaryFrom({ ...it, rope_theta: theta }, { ...sizes, contextLength, partial });
    const norm = (path: string) => layerNorm(path, it.layer_norm_eps);
    const common = commonParts(it, { family: "gpt_neox", className: "GPTNeoXForCausalLM", contextLength });
    const bias = it.attention_bias;
    return {
      ...common,
      layersPath: "gpt_neox.layers",
      embedding: { ...common.embedding, tensor: "gpt_neox.embed_in.weight" },
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(norm("input_layernorm"), {
            ...plainAttention(sizes),
            ...together(
              sizes,
              "groups",
              { path: "attention.query_key_value", bias },
              { path: "attention.dense", bias },
            ),
            rotary,
          }),
          mlp: block(norm("post_attention_layernorm"), {
            ...plainMlp(it.hidden_size, it.intermediate_size, MLP, true),
            activation: it.hidden_act,
          }),
          parallel: it.use_parallel_residual,
        }),
      ),
      norm: norm("gpt_neox.final_layer_norm"),
      head: { ...common.head, tensor: "embed_out.weight" },
    };
  },
  biases: null,
  gguf: ggufForm("gptneox", {
    layersPath: "gpt_neox.layers",
    layer: {
      ...{ input_layernorm: "attn_norm", "attention.query_key_value": "attn_qkv" },
      ...{ "attention.dense": "attn_output", post_attention_layernorm: "ffn_norm" },
      ...{ "mlp.dense_h_to_4h": "ffn_up", "mlp.dense_4h_to_h": "ffn_down" },
    },
    outer: {
      "gpt_neox.embed_in.weight": "token_embd.weight",
      "gpt_neox.final_layer_norm.weight": "output_norm.weight",
      "gpt_neox.final_layer_norm.bias": "output_norm.bias",
      "embed_out.weight": "output.weight",
    },
    grouped: "attention.query_key_value",
    // llama.cpp has the tanh approximation alone, which differs by less than 5e-4
    activations: ["gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast"],
    config: { hidden_act: "gelu" },
    settings: [
      {
        ...{ key: "use_parallel_residual", type: "bool", field: "use_parallel_residual" },
        write: ({ layers }) => layers[0].parallel,
      },
    ],
    complete: ({ partial_rotary_factor: part }) => ({ partial_rotary_factor: null, rotary_pct: part ?? 1 }),
    problems: ({ layers, head }) => [
      ...(layers[0].attention.body.output.bias
        ? []
        : ["it has no biases in attention, and llama.cpp expects them"]),
      ...(head.tied ? ["its head is tied to the embeddings, and llama.cpp expects one of its own"] : []),
    ],
  }),
  genai: false,
});

const MLP = { up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h" };
