import { z } from "zod";
import { block, layerNorm, layersOf, linear, plainAttention, plainMlp } from "../../description/equations.ts";
import {
  activationName,
  headSizesOf,
  packedWeights,
  refusePacked,
  requireConfig,
} from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...packedWeights,
  vocab_size: size.default(50_272),
  hidden_size: size.default(768),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  ffn_dim: size.default(3072),
  max_position_embeddings: size.default(2048),
  do_layer_norm_before: z.boolean().default(true),
  _remove_final_layer_norm: z.boolean().default(false),
  word_embed_proj_dim: size.nullish(),
  activation_function: activationName.default("relu"),
  enable_bias: z.boolean().default(true),
  layer_norm_elementwise_affine: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(true),
});

const EPSILON = 1e-5;
/** Rows of the table of positions before the first one. */
const OFFSET = 2;

/** OPT [arXiv:2205.01068]: learned positions, LayerNorms, an MLP of two matrices with ReLU. Defaults: transformers' OPTConfig. */
export const opt = family({
  modelType: "opt",
  classes: ["OPTForCausalLM"],
  schema,
  describe: (it) => {
    refusePacked(it);
    requireConfig(
      it.do_layer_norm_before,
      "do_layer_norm_before is false, and norms behind the sum are not computed",
    );
    requireConfig(
      !it._remove_final_layer_norm,
      "_remove_final_layer_norm is set, and a final norm is needed",
    );
    requireConfig(
      it.layer_norm_elementwise_affine,
      "layer_norm_elementwise_affine is false, and norms without weights are not computed here",
    );
    requireConfig(
      (it.word_embed_proj_dim ?? it.hidden_size) === it.hidden_size,
      `word_embed_proj_dim ${it.word_embed_proj_dim} is not hidden_size ${it.hidden_size}, and embeddings are not projected`,
    );
    const sizes = headSizesOf(it, it.num_attention_heads);
    const bias = it.enable_bias;
    const square = (path: string, slot?: string) => linear(path, it.hidden_size, it.hidden_size, bias, slot);
    return {
      ...{ name: it.architectures?.[0] ?? "OPTForCausalLM", family: "opt", hiddenSize: it.hidden_size },
      ...{
        vocabulary: it.vocab_size,
        contextLength: it.max_position_embeddings,
        layersPath: "model.decoder.layers",
      },
      embedding: {
        ...{ tensor: "model.decoder.embed_tokens.weight", scale: 1 },
        positions: {
          tensor: "model.decoder.embed_positions.weight",
          rows: it.max_position_embeddings + OFFSET,
          offset: OFFSET,
        },
      },
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(layerNorm("self_attn_layer_norm", EPSILON), {
            ...plainAttention(sizes),
            projections: {
              kind: "apart",
              q: square("self_attn.q_proj"),
              k: square("self_attn.k_proj"),
              v: square("self_attn.v_proj"),
            },
            output: square("self_attn.out_proj", "o_proj"),
            rotary: null,
          }),
          mlp: block(layerNorm("final_layer_norm", EPSILON), {
            ...plainMlp(it.hidden_size, it.ffn_dim, { up: "fc1", down: "fc2" }, bias),
            activation: it.activation_function,
          }),
          parallel: false,
        }),
      ),
      norm: layerNorm("model.decoder.final_layer_norm", EPSILON),
      head: { tensor: "lm_head.weight", tied: it.tie_word_embeddings, bias: null, scale: 1, softcap: null },
      unannouncedBiases: false,
    };
  },
  biases: null,
  gguf: null,
  genai: false,
});
