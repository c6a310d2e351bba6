import { z } from "zod";
import {
  apart,
  block,
  gated,
  layersOf,
  plainAttention,
  queryKeyNorms,
  rms,
} from "../description/equations.ts";
import { commonParts, decoderFields, headSizesOf, rotaryFrom } from "../description/commonFields.ts";
import { family } from "../description/family.ts";
import { windowKinds } from "../description/layerLists.ts";
import { ggufForm, QUERY_KEY_NORM_NAMES, SANDWICH_NAMES, type GgufForm } from "../description/ggufForm.ts";

import type { Decoder } from "../description/description.ts";
import { ropeOfKind, ropesByKind } from "../rope/ropeConfig.ts";

const size = z.number().int().positive();

const shared = {
  ...decoderFields,
  vocab_size: size.default(50_304),
  intermediate_size: size.default(11_008),
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().positive().default(1e-5),
  attention_bias: z.boolean().default(false),
};
const olmo2Schema = z.looseObject(shared);
const olmo3Schema = z.looseObject({
  ...shared,
  ...ropesByKind,
  sliding_window: size.nullable().default(4096),
  layer_types: windowKinds.nullish(),
});

type Kind = "full_attention" | "sliding_attention";
interface Differences {
  readonly family: string;
  readonly className: string;
  readonly window: number | null;
  kindOf(layer: number): Kind;
  rope(kind: Kind): Parameters<typeof rotaryFrom>[0];
}

/** h = x + RMSNorm(Attention(x)); y = h + RMSNorm(MLP(h)), with norms over all heads of q and of k together. */
function describe(
  it: Omit<z.output<z.ZodObject<typeof shared>>, "rope_parameters">,
  own: Differences,
): Decoder {
  const contextLength = it.max_position_embeddings;
  const sizes = headSizesOf(it, it.num_key_value_heads ?? it.num_attention_heads);
  const norm = (path: string) => rms(path, it.rms_norm_eps);
  return {
    ...commonParts(it, { ...own, contextLength }),
    layers: layersOf(
      it.num_hidden_layers,
      (layer) => own.kindOf(layer),
      (kind) => ({
        attention: block(
          null,
          {
            ...plainAttention(sizes),
            ...apart(sizes, { input: it.attention_bias, output: it.attention_bias }),
            queryKeyNorm: queryKeyNorms("width", norm),
            rotary: rotaryFrom(own.rope(kind), { ...sizes, contextLength }),
            window: kind === "sliding_attention" ? own.window : null,
          },
          norm("post_attention_layernorm"),
        ),
        mlp: block(
          null,
          { ...gated(it.hidden_size, it.intermediate_size), activation: it.hidden_act },
          norm("post_feedforward_layernorm"),
        ),
        parallel: false,
      }),
    ),
    norm: norm("model.norm"),
  };
}

const inLlama: Partial<GgufForm> = {
  layer: { ...SANDWICH_NAMES, ...QUERY_KEY_NORM_NAMES },
  problems: ({ layers }) =>
    layers[0].attention.body.output.bias ? ["it has biases that the architecture olmo2 cannot store"] : [],
};

/** OLMo 2 [arXiv:2501.00656]: no norm before a block, one behind it. Defaults: transformers' Olmo2Config. */
export const olmo2 = family({
  modelType: "olmo2",
  classes: ["Olmo2ForCausalLM"],
  schema: olmo2Schema,
  describe: (it) =>
    describe(it, {
      ...{ family: "olmo2", className: "Olmo2ForCausalLM", window: null },
      kindOf: () => "full_attention",
      rope: () => it,
    }),
  biases: null,
  gguf: ggufForm("olmo2", inLlama),
  genai: false,
});

/**
 * OLMo 3: OLMo 2 with a window in all layers but every fourth, whose rotary embedding alone is scaled. Defaults: transformers'
 * Olmo3Config.
 */
export const olmo3 = family({
  modelType: "olmo3",
  classes: ["Olmo3ForCausalLM"],
  schema: olmo3Schema,
  describe: (it) =>
    describe(it, {
      ...{ family: "olmo3", className: "Olmo3ForCausalLM", window: it.sliding_window },
      kindOf: (layer) =>
        it.layer_types?.[layer] ?? ((layer + 1) % 4 === 0 ? "full_attention" : "sliding_attention"),
      rope: (kind) => ropeOfKind(it, kind, it.rope_theta ?? 500_000),
    }),
  biases: null,
  gguf: ggufForm("olmo2", {
    ...inLlama,
    windows: true,
    claims: (number) => Boolean(number("attention.sliding_window")),
    settings: [
      {
        ...{ key: "attention.sliding_window", type: "u32", field: "sliding_window" },
        write: ({ layers }) =>
          layers.find(({ attention }) => attention.body.window)?.attention.body.window ?? null,
      },
      {
        ...{ key: "attention.sliding_window_pattern", type: "bools", field: "layer_types" },
        write: ({ layers }) => layers.map(({ attention }) => attention.body.window !== null),
        read: (value) =>
          Array.isArray(value)
            ? value.map((slides) => (slides ? "sliding_attention" : "full_attention"))
            : undefined,
      },
    ],
  }),
  genai: false,
});
