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
  requireConfig,
  rotaryFrom,
} from "../../description/commonFields.ts";
import { family } from "../../description/family.ts";
import { windowKinds } from "../../description/layerLists.ts";
import { ropeOfKind, ropesByKind } from "../../rope/ropeConfig.ts";

const size = z.number().int().positive();

const schema = z.looseObject({
  ...decoderFields,
  ...ropesByKind,
  vocab_size: size.default(262_144),
  hidden_size: size.default(2304),
  intermediate_size: size.default(9216),
  num_hidden_layers: size.default(30),
  num_attention_heads: size.default(8),
  num_key_value_heads: size.default(4),
  num_global_key_value_heads: size.nullish(),
  head_dim: size.default(256),
  global_head_dim: size.default(512),
  hidden_activation: activationName.default("gelu_pytorch_tanh"),
  max_position_embeddings: size.default(131_072),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.boolean().default(false),
  attention_k_eq_v: z.boolean().default(false),
  sliding_window: size.default(512),
  layer_types: windowKinds.nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
  use_bidirectional_attention: z.string().nullish(),
  hidden_size_per_layer_input: z.number().int().nonnegative().nullish().default(256),
  num_kv_shared_layers: z.number().int().nonnegative().default(0),
  enable_moe_block: z.boolean().default(false),
});

/** What layers with a window turn by, and those without one, where the config says nothing. */
const ROPE = {
  sliding_attention: { rope_theta: 10_000, partial_rotary_factor: undefined },
  full_attention: { rope_theta: 1_000_000, partial_rotary_factor: 0.25, rope_type: "proportional" },
};

/**
 * Gemma 4, the dense text model: norms before and behind each block and over each head of queries, keys and values, five layers with
 * a window to each one without, whose heads are wider and turn by a part, and whose values may be its keys; each layer times a number of
 * its own. Defaults: transformers' Gemma4TextConfig.
 */
export const gemma4 = family({
  modelType: "gemma4_text",
  classes: ["Gemma4ForCausalLM"],
  schema,
  describe: (it) => {
    requireDense(it);
    const contextLength = it.max_position_embeddings;
    const norm = (path: string) => rms(path, it.rms_norm_eps);
    const common = commonParts(it, { family: "gemma4_text", className: "Gemma4ForCausalLM", contextLength });
    const slides = (layer: number): boolean =>
      layer !== it.num_hidden_layers - 1 &&
      (it.layer_types ? it.layer_types[layer] === "sliding_attention" : (layer + 1) % 6 !== 0);
    return {
      ...common,
      embedding: { ...common.embedding, scale: Math.sqrt(it.hidden_size) },
      layers: layersOf(
        it.num_hidden_layers,
        (layer) => (slides(layer) ? "sliding_attention" : "full_attention"),
        (kind) => {
          const full = kind === "full_attention";
          const shared = full && it.attention_k_eq_v;
          const keyValueHeads = (shared ? it.num_global_key_value_heads : null) ?? it.num_key_value_heads;
          const headSize = full ? it.global_head_dim : it.head_dim;
          const sizes = headSizesOf({ ...it, head_dim: headSize }, keyValueHeads);
          const { projections, output } = apart(sizes, {
            input: it.attention_bias,
            output: it.attention_bias,
          });
          const rope = it.rope_parameters
            ? ropeOfKind(it, kind, ROPE[kind].rope_theta)
            : { ...it, rope_parameters: ROPE[kind] };
          return {
            attention: block(
              norm("input_layernorm"),
              {
                ...plainAttention(sizes),
                projections: shared ? { ...projections, v: null } : projections,
                output,
                queryKeyNorm: queryKeyNorms("head", norm),
                valueNorm: { ...norm("self_attn.v_norm"), gain: "none" },
                rotary: rotaryFrom(rope, { ...sizes, contextLength }),
                scale: 1,
                window: full ? null : it.sliding_window,
              },
              norm("post_attention_layernorm"),
            ),
            mlp: block(
              norm("pre_feedforward_layernorm"),
              { ...gated(it.hidden_size, it.intermediate_size), activation: it.hidden_activation },
              norm("post_feedforward_layernorm"),
            ),
            parallel: false,
            scalar: "layer_scalar",
          };
        },
      ),
      norm: norm("model.norm"),
      head: { ...common.head, softcap: it.final_logit_softcapping ?? null },
    };
  },
  biases: null,
  gguf: null,
  genai: false,
});

/** What only some models of the family have. */
function requireDense(it: z.output<typeof schema>): void {
  const not = (absent: boolean, what: string): void =>
    requireConfig(
      absent,
      `${what}, and of gemma4_text the dense models without embeddings for each layer are computed`,
    );
  not(
    (it.hidden_size_per_layer_input ?? 0) === 0,
    "hidden_size_per_layer_input gives each layer embeddings of its own",
  );
  not(
    it.num_kv_shared_layers === 0,
    "num_kv_shared_layers has layers take the keys and values of earlier ones",
  );
  not(!it.enable_moe_block, "enable_moe_block gives its layers experts");
  not(it.use_bidirectional_attention !== "all", "use_bidirectional_attention lets tokens see later ones");
}
