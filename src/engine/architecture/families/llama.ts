import { z } from "zod";
import { apart, block, gated, layersOf, plainAttention, rms } from "../description/equations.ts";
import {
  commonParts,
  decoderFields,
  headSizesOf,
  ownBiases,
  rotaryFrom,
} from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { ggufForm } from "../description/ggufForm.ts";

const schema = z.looseObject({
  ...decoderFields,
  intermediate_size: z.number().int().positive().default(11_008),
  max_position_embeddings: z.number().int().positive().default(2048),
  ...ownBiases,
});

/**
 * Llama 1 to 3 and everything published under that name [arXiv:2302.13971]:
 *
 *     h = x + Attention(RMSNorm(x));  y = h + W_down(act(W_gate·u) ⊙ W_up·u), u = RMSNorm(h)
 *
 * Defaults: transformers' LlamaConfig.
 */
export const llama = family({
  modelType: "llama",
  classes: ["LlamaForCausalLM", "LLaMAForCausalLM"],
  schema,
  describe: (it) => {
    const contextLength = it.max_position_embeddings;
    const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
    const rotary = rotaryFrom(it, { ...sizes, contextLength });
    const biases = { input: it.attention_bias, output: it.attention_bias };
    return {
      ...commonParts(it, { family: "llama", className: "LlamaForCausalLM", contextLength }),
      layers: layersOf(
        it.num_hidden_layers,
        () => "all",
        () => ({
          attention: block(rms("input_layernorm", it.rms_norm_eps), {
            ...plainAttention(sizes),
            ...apart(sizes, biases),
            rotary,
          }),
          mlp: block(rms("post_attention_layernorm", it.rms_norm_eps), {
            ...gated(it.hidden_size, it.intermediate_size, it.mlp_bias),
            activation: it.hidden_act,
          }),
          parallel: false,
        }),
      ),
      norm: rms("model.norm", it.rms_norm_eps),
    };
  },
  biases: { always: [], flagCounts: true },
  gguf: ggufForm("llama", { interleaved: ["self_attn.q_proj", "self_attn.k_proj"] }),
  genai: true,
});
