import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { writeSyntheticCheckpoint, type SyntheticOptions } from "../../test/support/syntheticCheckpoint.ts";

const root = join(import.meta.dirname, "..", "..");
export const DEMO = join(root, "resources", "demo-model", "model");
export const DEMO_TEXT = join(root, "resources", "demo-model", "eval.jsonl");
/** [layer, row, column] of the demo model's super weight. */
export const DEMO_SUPER_WEIGHT = [1, 137, 401];
const TOKENIZERS = join(root, "test", "golden", "tokenizer");

/** Every width a multiple of 32; weights large enough that logits differ. */
const SHAPE = { hidden: 64, intermediate: 96, layers: 3, heads: 4, keyValueHeads: 2, deviation: 0.2 };
const WINDOW = 192;
const FACTORS = [1, 1.1, 1.2, 1.3, 1.4, 1.5];

export interface Tiny {
  readonly name: string;
  /** Folder of test/golden/tokenizer; its vocabulary is the model's. */
  readonly tokenizer: "byte-level" | "metaspace-normalizer";
  readonly options: SyntheticOptions;
  /** Types it is stored in. Equations are told apart in F32 alone: elsewhere llama.cpp rounds what goes into products. */
  readonly types: readonly ("F32" | "F16" | "BF16" | "Q4_0")[];
}

const EVERY = ["F32", "F16", "BF16", "Q4_0"] as const;
const EXACT = ["F32"] as const;

/** One tiny random model of every family, each with weights of its own, and llama with every rotary scaling that llama.cpp has. */
export const TINY: readonly Tiny[] = [
  { name: "llama", types: EVERY, tokenizer: "byte-level", options: {} },
  {
    name: "mistral",
    types: EVERY,
    tokenizer: "metaspace-normalizer",
    options: { family: "mistral", seed: 2, config: { sliding_window: null } },
  },
  {
    name: "qwen2",
    types: EVERY,
    tokenizer: "byte-level",
    options: { family: "qwen2", seed: 3, tied: true, config: { rope_theta: 1e6 } },
  },
  {
    name: "phi3",
    types: EVERY,
    tokenizer: "metaspace-normalizer",
    options: { family: "phi3", seed: 4 },
  },
  // the shortest text has more than 8 tokens, llama.cpp's context here fewer than 512
  ...[8, 512].map((original): Tiny => ({
    name: `phi3, partly turned, longrope from ${original} tokens on`,
    types: EXACT,
    tokenizer: "metaspace-normalizer",
    options: {
      family: "phi3",
      config: {
        ...{ max_position_embeddings: 1024, original_max_position_embeddings: original },
        partial_rotary_factor: 0.75,
        rope_scaling: {
          type: "longrope",
          short_factor: FACTORS,
          long_factor: FACTORS.map((factor) => 2 * factor),
        },
      },
    },
  })),
  {
    name: "llama, llama3",
    types: EXACT,
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
    types: EXACT,
    tokenizer: "byte-level",
    options: { config: { rope_scaling: { rope_type: "linear", factor: 4 } } },
  },
  {
    name: "llama, yarn",
    types: EXACT,
    tokenizer: "byte-level",
    options: {
      config: {
        rope_theta: 100,
        rope_scaling: {
          ...{ rope_type: "yarn", factor: 4, original_max_position_embeddings: 16 },
          attention_factor: 1.3,
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

/** Windows of the demo model's held-out documents in a model's own tokens: `count` documents, 192 tokens each at most. */
export async function windowsOf(model: string, count: number): Promise<number[][]> {
  const tokenizer = await loadTokenizer(model);
  const bos = tokenizer.bos === null ? [] : [tokenizer.bos];
  const documents = await readDocuments(DEMO_TEXT);
  return documents.slice(0, count).map((text) => [...bos, ...tokenizer.encode(text)].slice(0, WINDOW));
}
