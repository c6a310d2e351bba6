import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../../../test/support/syntheticCheckpoint.ts";

const root = join(import.meta.dirname, "..", "..", "..");
export const DEMO = join(root, "resources", "demo-model", "model");
export const DEMO_TEXT = join(root, "resources", "demo-model", "eval.jsonl");
const TOKENIZERS = join(root, "test", "golden", "tokenizer");

/** Every width a multiple of 32; weights large enough that logits differ. */
const SHAPE = { hidden: 64, intermediate: 96, layers: 3, heads: 4, keyValueHeads: 2, deviation: 0.2 };
const FACTORS = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7];

interface Tiny {
  readonly name: string;
  /** Folder of test/golden/tokenizer; its vocabulary is the model's. */
  readonly tokenizer: "byte-level" | "metaspace-normalizer";
  readonly options: SyntheticOptions;
}

/** One tiny random model of every family, and llama with every rotary scaling that llama.cpp has. */
export const TINY: readonly Tiny[] = [
  { name: "llama", tokenizer: "byte-level", options: {} },
  {
    name: "mistral",
    tokenizer: "metaspace-normalizer",
    options: { family: "mistral", config: { sliding_window: null } },
  },
  {
    name: "qwen2",
    tokenizer: "byte-level",
    options: { family: "qwen2", tied: true, config: { rope_theta: 1e6 } },
  },
  { name: "phi3", tokenizer: "metaspace-normalizer", options: { family: "phi3" } },
  {
    name: "phi3, longrope, partly turned",
    tokenizer: "metaspace-normalizer",
    options: {
      family: "phi3",
      config: {
        ...{
          max_position_embeddings: 256,
          original_max_position_embeddings: 32,
          partial_rotary_factor: 0.75,
        },
        rope_scaling: {
          type: "longrope",
          short_factor: FACTORS.slice(0, 6),
          long_factor: FACTORS.slice(0, 6).map((factor) => 2 * factor),
        },
      },
    },
  },
  {
    name: "llama, llama3",
    tokenizer: "byte-level",
    options: {
      config: {
        rope_scaling: {
          ...{ rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
          original_max_position_embeddings: 16,
        },
      },
    },
  },
  {
    name: "llama, linear",
    tokenizer: "byte-level",
    options: { config: { rope_scaling: { rope_type: "linear", factor: 4 } } },
  },
  {
    name: "llama, yarn",
    tokenizer: "byte-level",
    options: {
      config: {
        rope_theta: 100,
        rope_scaling: {
          ...{ rope_type: "yarn", factor: 4, original_max_position_embeddings: 16 },
          ...{ attention_factor: 1.3, beta_fast: 4, beta_slow: 0.5 },
        },
      },
    },
  },
];

/** Writes one of them with its tokenizer. */
export async function writeTiny(
  { tokenizer, options }: Tiny,
  storage: "F32" | "F16" | "BF16",
  folder: string,
): Promise<string> {
  const definition = JSON.parse(readFileSync(join(TOKENIZERS, tokenizer, "tokenizer.json"), "utf8")) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  const ids = [...Object.values(definition.model.vocab), ...definition.added_tokens.map(({ id }) => id)];
  await writeSyntheticCheckpoint(
    {
      ...SHAPE,
      ...options,
      storage,
      vocabulary: 1 + Math.max(...ids),
      config: { max_position_embeddings: 256, ...options.config },
    },
    folder,
  );
  cpSync(join(TOKENIZERS, tokenizer), folder, { recursive: true });
  return folder;
}
