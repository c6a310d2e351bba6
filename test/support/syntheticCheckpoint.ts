import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { safetensorsBytes, storedAs, type TensorSpec } from "./safetensorsBytes.ts";

export interface SyntheticOptions {
  storage?: "F32" | "F16" | "BF16";
  layers?: number;
  hidden?: number;
  intermediate?: number;
  heads?: number;
  keyValueHeads?: number;
  vocabulary?: number;
  /** More than one writes model-0000i-of-0000n.safetensors and the index. */
  shards?: number;
  tied?: boolean;
  /** Whose tensors and config; default llama. */
  family?: "llama" | "mistral" | "qwen2" | "phi3";
  seed?: number;
  /** Of the weights; default 0.05. */
  deviation?: number;
  /** Values put into tensors after the random fill. */
  plant?: readonly { tensor: string; row: number; column: number; value: number }[];
  /** Overrides and additions to config.json; undefined removes a key. */
  config?: Record<string, unknown>;
  /** More files of the folder, e.g. `tokenizer.json`. */
  files?: Record<string, string | Uint8Array>;
}

/** A fresh folder that is removed when the running test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keystone-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a tiny valid llama-shaped checkpoint with reproducible weights (normal-like). Returns its folder. */
export async function writeSyntheticCheckpoint(
  options: SyntheticOptions = {},
  folder?: string,
): Promise<string> {
  const target = folder ?? (await temporaryFolder());
  await mkdir(target, { recursive: true });
  const size = sizes(options);
  const tensors = Object.entries(syntheticTensors(options));
  const shards = options.shards ?? 1;
  if (shards === 1) {
    await writeFile(
      join(target, "model.safetensors"),
      safetensorsBytes(Object.fromEntries(tensors), { metadata: { format: "pt" } }),
    );
  } else {
    await writeShards(target, tensors, shards);
  }
  await writeFile(
    join(target, "config.json"),
    JSON.stringify({ ...baseConfig(size, options), ...options.config }, null, 2),
  );
  for (const [name, content] of Object.entries(options.files ?? {}))
    await writeFile(join(target, name), content);
  return target;
}

async function writeShards(folder: string, tensors: [string, TensorSpec][], shards: number): Promise<void> {
  const width = (n: number) => String(n).padStart(5, "0");
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${width(shard + 1)}-of-${width(shards)}.safetensors`;
    const share = tensors.filter((_, i) => Math.floor((i * shards) / tensors.length) === shard);
    for (const [name] of share) weightMap[name] = file;
    await writeFile(
      join(folder, file),
      safetensorsBytes(Object.fromEntries(share), { metadata: { format: "pt" } }),
    );
  }
  const total = tensors.reduce((sum, [, { data }]) => sum + (data?.byteLength ?? 0), 0);
  await writeFile(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2),
  );
}

function sizes(options: SyntheticOptions) {
  const {
    layers = 2,
    hidden = 16,
    intermediate = 24,
    heads = 4,
    keyValueHeads = 2,
    vocabulary = 32,
  } = options;
  return { layers, hidden, intermediate, heads, keyValueHeads, vocabulary };
}

const CLASSES = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  phi3: "Phi3ForCausalLM",
};

function baseConfig(size: ReturnType<typeof sizes>, options: SyntheticOptions): Record<string, unknown> {
  return {
    architectures: [CLASSES[options.family ?? "llama"]],
    model_type: options.family ?? "llama",
    hidden_size: size.hidden,
    intermediate_size: size.intermediate,
    num_hidden_layers: size.layers,
    num_attention_heads: size.heads,
    num_key_value_heads: size.keyValueHeads,
    head_dim: size.hidden / size.heads,
    hidden_act: "silu",
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    vocab_size: size.vocabulary,
    tie_word_embeddings: options.tied ?? false,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: { F32: "float32", F16: "float16", BF16: "bfloat16" }[options.storage ?? "F32"],
  };
}

/** The tensors of writeSyntheticCheckpoint by name, in the order they are written. */
export function syntheticTensors(options: SyntheticOptions = {}): Record<string, TensorSpec> {
  const { layers, hidden, intermediate, heads, keyValueHeads, vocabulary } = sizes(options);
  const headSize = hidden / heads;
  const family = options.family ?? "llama";
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  const attention: [string, number][] =
    family === "phi3"
      ? [["qkv_proj", queries + 2 * keys]]
      : [
          ["q_proj", queries],
          ["k_proj", keys],
          ["v_proj", keys],
        ];
  const gateAndUp: [string, number][] =
    family === "phi3"
      ? [["gate_up_proj", 2 * intermediate]]
      : [
          ["gate_proj", intermediate],
          ["up_proj", intermediate],
        ];
  const normal = normalNumbers(options.seed ?? 1);
  const tensors: Record<string, TensorSpec> = {};
  const add = (name: string, shape: readonly number[], value?: number) => {
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    const values = Float32Array.from(
      { length: count },
      () => value ?? (options.deviation ?? 0.05) * normal(),
    );
    for (const { tensor, row, column, value: planted } of options.plant ?? [])
      if (tensor === name) values[row * shape[1] + column] = planted;
    tensors[name] = storedAs(options.storage ?? "F32", shape, values);
  };
  add("model.embed_tokens.weight", [vocabulary, hidden]);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const [name, out] of attention) {
      add(`${at}.self_attn.${name}.weight`, [out, hidden]);
      if (family === "qwen2") add(`${at}.self_attn.${name}.bias`, [out]);
    }
    add(`${at}.self_attn.o_proj.weight`, [hidden, heads * headSize]);
    for (const [name, out] of gateAndUp) add(`${at}.mlp.${name}.weight`, [out, hidden]);
    add(`${at}.mlp.down_proj.weight`, [hidden, intermediate]);
    add(`${at}.input_layernorm.weight`, [hidden], 1);
    add(`${at}.post_attention_layernorm.weight`, [hidden], 1);
  }
  add("model.norm.weight", [hidden], 1);
  if (!(options.tied ?? false)) add("lm_head.weight", [vocabulary, hidden]);
  return tensors;
}

/** Reproducible, roughly normal numbers: the sum of twelve uniform ones less six, from a 32-bit generator (mulberry32). */
function normalNumbers(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return sum;
  };
}
