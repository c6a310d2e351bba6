/** `tokenizer.ggml.token_type`: what a token is for. */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Keys of the tokenizer's metadata. */
export const TOKENIZER_KEYS = {
  model: "tokenizer.ggml.model",
  pre: "tokenizer.ggml.pre",
  tokens: "tokenizer.ggml.tokens",
  types: "tokenizer.ggml.token_type",
  scores: "tokenizer.ggml.scores",
  merges: "tokenizer.ggml.merges",
  bos: "tokenizer.ggml.bos_token_id",
  eos: "tokenizer.ggml.eos_token_id",
  endOfTurn: "tokenizer.ggml.eot_token_id",
  endOfMessage: "tokenizer.ggml.eom_token_id",
  infillPadding: "tokenizer.ggml.fim_pad_token_id",
  infillRepository: "tokenizer.ggml.fim_rep_token_id",
  infillSeparator: "tokenizer.ggml.fim_sep_token_id",
  unknown: "tokenizer.ggml.unknown_token_id",
  padding: "tokenizer.ggml.padding_token_id",
  addBos: "tokenizer.ggml.add_bos_token",
  addEos: "tokenizer.ggml.add_eos_token",
  addSpace: "tokenizer.ggml.add_space_prefix",
  /** The default one; others stand behind a dot and their name. */
  chatTemplate: "tokenizer.chat_template",
  /** The names of the others. */
  chatTemplates: "tokenizer.chat_templates",
} as const;
