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
  requireConfig,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { ropeFields } from "../../rope/ropeConfig.ts";
import { family } from "../../description/family.ts";
import { ggufForm } from "../../description/ggufForm.ts";

const size = z.number().int().positive();
const schema = z.looseObject({
  ...packedWeights,
  ...ropeFields,
  vocab_size: size.default(65_024),
  num_hidden_layers: size.default(32),
  hidden_size: size.default(4544),
  num_attention_heads: size.default(71),
  num_kv_heads: size.nullish(),
  num_ln_in_parallel_attn: z.union([z.literal(1), z.literal(2)]).nullish(),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  alibi: z.boolean().default(false),
  new_decoder_architecture: z.boolean().default(false),
  multi_query: z.boolean().default(true),
  parallel_attn: z.boolean().default(true),
  bias: z.boolean().default(false),
  max_position_embeddings: size.default(2048),
  ffn_hidden_size: size.nullish(),
  activation: activationName.default("gelu"),
  tie_word_embeddings: z.boolean().default(true),
});

/**
 * Falcon [arXiv:2311.16867]: LayerNorms, one key head for all queries or one for each group of them, attention and MLP side by side
 * behind one norm or two. Defaults: transformers' FalconConfig.
 */
export const falcon = family({
  modelType: "falcon",
  classes: ["FalconForCausalLM", "RWForCausalLM"],
  schema,
  describe: (it) => {
    requireConfig(!it.alibi, "alibi is set, and attention is computed without biases of positions");
    const contextLength = it.max_position_embeddings;
    const heads = it.num_attention_heads;
    const grouped = it.new_decoder_architecture;
    const sizes = headSizesOf(it, grouped ? (it.num_kv_heads ?? heads) : it.multi_query ? 1 : heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const parallel = grouped || it.parallel_attn;
    const twoNorms = parallel ? grouped && (it.num_ln_in_parallel_attn ?? 2) === 2 : true;
    const norm = (path: string) => layerNorm(path, it.layer_norm_epsilon);
    const before = norm(parallel && twoNorms ? "ln_attn" : "input_layernorm");
    const beforeMlp = !twoNorms ? before : norm(parallel ? "ln_mlp" : "post_attention_layernorm");
    const common = commonParts(it, { family: "falcon", className: "FalconForCausalLM", contextLength });
    return {
      ...common,
      layersPath: "transformer.h",
      embedding: { ...common.embedding, tensor: "transformer.word_embeddings.weight" },
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(before, {
            ...plainAttention(sizes),
            ...together(
              sizes,
              "groups",
              { path: "self_attention.query_key_value", bias: it.bias },
              { path: "self_attention.dense", bias: it.bias },
            ),
            rotary,
          }),
          mlp: block(beforeMlp, {
            ...plainMlp(it.hidden_size, it.ffn_hidden_size ?? 4 * it.hidden_size, MLP, it.bias),
            activation: it.activation,
          }),
          parallel,
        }),
      ),
      norm: norm("transformer.ln_f"),
    };
  },
  biases: null,
  gguf: ggufForm("falcon", {
    layersPath: "transformer.h",
    layer: {
      // behind two norms, llama.cpp calls attention's attn_norm_2
      ...{ input_layernorm: "attn_norm", ln_mlp: "attn_norm", ln_attn: "attn_norm_2" },
      ...{ "self_attention.query_key_value": "attn_qkv", "self_attention.dense": "attn_output" },
      ...{ "mlp.dense_h_to_4h": "ffn_up", "mlp.dense_4h_to_h": "ffn_down" },
    },
    second: "attn_norm_2",
    outer: {
      "transformer.word_embeddings.weight": "token_embd.weight",
      "transformer.ln_f.weight": "output_norm.weight",
      "transformer.ln_f.bias": "output_norm.bias",
      "lm_head.weight": "output.weight",
    },
    grouped: "self_attention.query_key_value",
    // llama.cpp has the tanh approximation alone, which differs by less than 5e-4
    activations: ["gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast"],
    config: { hidden_act: "gelu" },
    fields: {
      ...{ num_key_value_heads: "num_kv_heads", intermediate_size: "ffn_hidden_size" },
      ...{ hidden_act: "activation", layer_norm_eps: "layer_norm_epsilon" },
    },
    settings: [{ key: "tensor_data_layout", type: "string", field: null, write: () => "jploski" }],
    complete: (fields) => ({
      // with one key head, both forms are one
      ...(fields["num_key_value_heads"] === 1 ? {} : { new_decoder_architecture: true }),
    }),
    problems: ({ layers: [{ parallel, attention, mlp }] }) => [
      ...(parallel ? [] : ["attention and MLP follow one another, and llama.cpp has them side by side"]),
      ...(attention.body.output.bias ? ["it has biases that the architecture falcon cannot store"] : []),
      ...((mlp.before === attention.before) === (attention.body.keyValueHeads === 1)
        ? []
        : ["its number of norms and of key heads do not go together as in Falcon 7B and 40B"]),
    ],
  }),
  genai: false,
});

const MLP = { up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h" };
