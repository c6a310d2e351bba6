import { KeystoneError } from "#shared/errors.ts";
import type { ArchitectureFacts, ModelSummary } from "#shared/model.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { summarizeModel as summarize } from "#engine/formats/summarizeModel.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

/**
 * Opens a checkpoint, says what it is and closes it again. Reads config.json, the shards' headers and what the fingerprint samples.
 * @throws KeystoneError checkpoint/…, safetensors/…
 */
export async function summarizeModel(path: string): Promise<ModelSummary> {
  return withCheckpoint(path, (checkpoint) => summarize(checkpoint, readFacts(checkpoint)));
}

/** Opens a checkpoint for `work` and closes it whatever happens. */
export async function withCheckpoint<T>(
  path: string,
  work: (checkpoint: Checkpoint) => Promise<T> | T,
): Promise<T> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await work(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** From the architecture where it is known, otherwise what the config says by its usual names. */
function readFacts(checkpoint: Checkpoint): { facts: ArchitectureFacts; unsupported: string | null } {
  try {
    return { facts: architectureOf(checkpoint).facts, unsupported: null };
  } catch (error) {
    if (!(error instanceof KeystoneError)) throw error;
    return { facts: factsFromConfig(checkpoint.config), unsupported: `${error.message} ${error.next}` };
  }
}

function factsFromConfig(config: Readonly<Record<string, unknown>>): ArchitectureFacts {
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
