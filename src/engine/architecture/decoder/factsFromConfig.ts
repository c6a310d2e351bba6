import type { ArchitectureFacts } from "#shared/model.ts";

/** What a config says by its usual names, of a model whose equations are not known. */
export function factsFromConfig(config: Readonly<Record<string, unknown>>): ArchitectureFacts {
  const number = (...names: string[]): number => {
    const found = names
      .map((name) => config[name])
      .find((value) => Number.isSafeInteger(value) && Number(value) >= 0);
    return Number(found ?? 0);
  };
  const text = (name: string): string => (typeof config[name] === "string" ? config[name] : "unknown");
  const classes: unknown = config["architectures"];
  const heads = number("num_attention_heads", "n_head");
  const hiddenSize = number("hidden_size", "n_embd", "d_model");
  return {
    name: Array.isArray(classes) && typeof classes[0] === "string" ? classes[0] : "unknown",
    family: text("model_type"),
    layers: number("num_hidden_layers", "n_layer", "num_layers"),
    hiddenSize,
    intermediateSize: number("intermediate_size", "ffn_hidden_size", "n_inner"),
    heads,
    keyValueHeads: number("num_key_value_heads", "num_attention_heads", "n_head"),
    headSize: number("head_dim") || (heads > 0 ? Math.floor(hiddenSize / heads) : 0),
    vocabulary: number("vocab_size"),
    contextLength: number("max_position_embeddings", "n_positions"),
    norm: "unknown",
    position: "unknown",
    activation: text("hidden_act"),
    slidingWindow: null,
    tiedEmbeddings: config["tie_word_embeddings"] === true,
  };
}
