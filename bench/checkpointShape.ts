import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Sizes of a llama-shaped checkpoint. */
export interface Shape {
  layers: number;
  hidden: number;
  intermediate: number;
  heads: number;
  keyValueHeads: number;
  vocabulary: number;
  context: number;
}

/** One tensor of such a checkpoint, BF16. */
export interface Tensor {
  name: string;
  shape: readonly [number] | readonly [number, number];
  kind: "normal" | "ones";
}

/** One safetensors file. */
export interface Shard {
  file: string;
  tensors: readonly Tensor[];
}

/** Llama 2 7 B: 291 tensors, 13.5 GB as BF16. */
export const SEVEN_B: Shape = {
  layers: 32,
  hidden: 4096,
  intermediate: 11_008,
  heads: 32,
  keyValueHeads: 32,
  vocabulary: 32_000,
  context: 4096,
};

/** Llama 3 70 B: 723 tensors, 141 GB as BF16. */
export const SEVENTY_B: Shape = {
  layers: 80,
  hidden: 8192,
  intermediate: 28_672,
  heads: 64,
  keyValueHeads: 8,
  vocabulary: 128_256,
  context: 8192,
};

/** Token that the demo tokenizer puts first. */
export const BOS = 1;
const DEMO = join(import.meta.dirname, "..", "resources", "demo-model", "model");
/** Every tensor of the shape, in the order of the forward pass. */
export function tensorsOf({
  layers,
  hidden,
  intermediate,
  heads,
  keyValueHeads,
  vocabulary,
}: Shape): Tensor[] {
  const narrow = (hidden / heads) * keyValueHeads;
  const matrix = (name: string, rows: number, columns: number): Tensor => ({
    name,
    shape: [rows, columns],
    kind: "normal",
  });
  const norm = (name: string): Tensor => ({ name, shape: [hidden], kind: "ones" });
  const layer = (i: number): Tensor[] => {
    const at = `model.layers.${i}`;
    return [
      norm(`${at}.input_layernorm.weight`),
      matrix(`${at}.self_attn.q_proj.weight`, hidden, hidden),
      matrix(`${at}.self_attn.k_proj.weight`, narrow, hidden),
      matrix(`${at}.self_attn.v_proj.weight`, narrow, hidden),
      matrix(`${at}.self_attn.o_proj.weight`, hidden, hidden),
      norm(`${at}.post_attention_layernorm.weight`),
      matrix(`${at}.mlp.gate_proj.weight`, intermediate, hidden),
      matrix(`${at}.mlp.up_proj.weight`, intermediate, hidden),
      matrix(`${at}.mlp.down_proj.weight`, hidden, intermediate),
    ];
  };
  return [
    matrix("model.embed_tokens.weight", vocabulary, hidden),
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    norm("model.norm.weight"),
    matrix("lm_head.weight", vocabulary, hidden),
  ];
}

/** Splits the tensors into files of about `shardBytes`. */
export function cutShards(tensors: readonly Tensor[], shardBytes: number): Shard[] {
  const shares: Tensor[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    if (size > 0 && size + bytesOf(tensor) > shardBytes) {
      shares.push([]);
      size = 0;
    }
    shares.at(-1)?.push(tensor);
    size += bytesOf(tensor);
  }
  return shares.map((share, i) => ({
    file:
      shares.length === 1
        ? "model.safetensors"
        : `model-${five(i + 1)}-of-${five(shares.length)}.safetensors`,
    tensors: share,
  }));
}

/** The beginning of a safetensors file: the header's length and the header, padded so that the data is aligned to 8. */
export function headerBytes(tensors: readonly Tensor[]): Buffer {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const tensor of tensors) {
    const end = at + bytesOf(tensor);
    header[tensor.name] = { dtype: "BF16", shape: tensor.shape, data_offsets: [at, end] };
    at = end;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(Buffer.byteLength(text) / 8) * 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([prefix, json]);
}

/** Writes what lies beside the weights: the index where there are several shards, config.json, the demo's tokenizer. */
export async function writeSideFiles(folder: string, shape: Shape, shards: readonly Shard[]): Promise<void> {
  if (shards.length > 1) {
    const tensors = shards.flatMap((shard) => shard.tensors.map((tensor) => ({ tensor, file: shard.file })));
    const total = tensors.reduce((sum, { tensor }) => sum + bytesOf(tensor), 0);
    const weightMap = Object.fromEntries(tensors.map(({ tensor, file }) => [tensor.name, file]));
    const index = JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap });
    await writeFile(join(folder, "model.safetensors.index.json"), index);
  }
  await writeFile(join(folder, "config.json"), JSON.stringify(configOf(shape), null, 2));
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(DEMO, file), join(folder, file));
}

/** Bytes of a tensor in the file. */
export function bytesOf({ shape }: Tensor): number {
  return 2 * shape.reduce((product: number, size) => product * size, 1);
}

function configOf(shape: Shape): object {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyValueHeads,
    hidden_act: "silu",
    max_position_embeddings: shape.context,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    vocab_size: shape.vocabulary,
    tie_word_embeddings: false,
    bos_token_id: BOS,
    eos_token_id: 2,
    torch_dtype: "bfloat16",
  };
}

function five(n: number): string {
  return String(n).padStart(5, "0");
}
