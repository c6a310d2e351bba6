import type { Decoder } from "./description.ts";

/** One hyperparameter that a family has beside those that all have. */
export interface GgufSetting {
  /** Without the architecture's name in front: `attn_logit_softcapping`. */
  readonly key: string;
  readonly type: "u32" | "f32" | "bool" | "string" | "bools";
  /** From the equations to the file; null = it is left out. */
  readonly write: (
    decoder: Decoder,
  ) => number | boolean | string | readonly number[] | readonly boolean[] | null;
  /** From the file into config.json; null = nothing reads it back. */
  readonly field: string | null;
  /** What the field gets, where it is not the value itself. */
  readonly read?: (value: number | boolean | string | readonly unknown[]) => unknown;
}

/** How llama.cpp's files hold a family: names, order of rows, settings. */
export interface GgufForm {
  /** `general.architecture`. */
  readonly architecture: string;
  /** In front of a layer's number in the checkpoint. */
  readonly layersPath: string;
  /** GGUF's names of a layer's modules, by their paths. */
  readonly layer: Readonly<Record<string, string>>;
  /** Where two of those names are one: a file that holds this module means the second. */
  readonly second: string | null;
  /** And of the tensors outside the layers. */
  readonly outer: Readonly<Record<string, string>>;
  /** Paths of matrices (and biases) whose rows llama.cpp's files hold interleaved within each head. */
  readonly interleaved: readonly string[];
  /** Norm weights are stored as 1 + w. */
  readonly onePlusNorms: boolean;
  readonly settings: readonly GgufSetting[];
  /** Constant fields of config.json that a file of this architecture means. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of config.json's fields where the family has others than most: `hidden_size` → `n_embd`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Among several families of one architecture: whether a file is this one's, by its settings. */
  readonly claims: ((number: (key: string) => number | null) => boolean) | null;
  /** Activations that it computes, by the config's names. */
  readonly activations: readonly string[];
  /** Whether it computes sliding windows. */
  readonly windows: boolean;
  /** Path of the matrix that has queries, keys and values by groups here, and one after the other in a file. */
  readonly grouped: string | null;
  /** Fields of config.json that follow from others of a file. */
  readonly complete: (fields: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** What of the equations llama.cpp does not compute: the rest of "llama.cpp cannot compute this model: …". */
  readonly problems: (decoder: Decoder) => readonly string[];
}

/** Names outside the layers of most families. */
export const OUTER_NAMES = {
  "model.embed_tokens.weight": "token_embd.weight",
  "model.norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
} as const;

/** Names of a layer's modules of most families. */
export const LAYER_NAMES = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
} as const;

/** Names of the norms of queries and keys. */
export const QUERY_KEY_NORM_NAMES = {
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
} as const;

/** Names of a layer's modules where norms stand before and behind each block. */
export const SANDWICH_NAMES = {
  ...LAYER_NAMES,
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
} as const;

/** A family whose files differ from the usual in few things. */
export function ggufForm(architecture: string, own: Partial<Omit<GgufForm, "architecture">> = {}): GgufForm {
  return {
    ...{
      architecture,
      layersPath: "model.layers",
      layer: LAYER_NAMES,
      outer: OUTER_NAMES,
      interleaved: [],
      onePlusNorms: false,
    },
    ...{
      settings: [],
      config: { hidden_act: "silu" },
      fields: {},
      claims: null,
      activations: ["silu", "swish"],
    },
    ...{ windows: false, second: null, grouped: null, complete: () => ({}), problems: () => [] },
    ...own,
  };
}

/** A window that all layers have. */
export const windowSetting: GgufSetting = {
  ...{ key: "attention.sliding_window", type: "u32", field: "sliding_window" },
  write: ({ layers }) => {
    const windows = new Set(layers.map(({ attention }) => attention.body.window));
    const [first] = windows;
    return windows.size === 1 ? first : null;
  },
};

/** A problem of families whose architecture in llama.cpp has no biases beyond those of transformers. */
export function biasesNotStored({ unannouncedBiases, family }: Decoder): string[] {
  return unannouncedBiases ? [`it has biases that the architecture ${family} cannot store`] : [];
}

/** A problem of families whose matrices llama.cpp expects as wide as the hidden state, whatever `attention.key_length` says. */
export function headsFillHidden({ layers, hiddenSize, family }: Decoder): string[] {
  const { heads, headSize } = layers[0].attention.body;
  return heads * headSize === hiddenSize
    ? []
    : [
        `its ${heads} heads of ${headSize} channels do not make up its ${hiddenSize} hidden channels, which llama.cpp expects of ${family}`,
      ];
}
