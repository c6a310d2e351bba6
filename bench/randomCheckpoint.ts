import { createHash } from "node:crypto";
import { copyFile, mkdir, open, statfs, writeFile, type FileHandle } from "node:fs/promises";
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

/** The weight put in so that detection has something to find: `down_proj`[row, column] of a layer. */
export interface Plant {
  layer: number;
  row: number;
  column: number;
  value: number;
}

interface Tensor {
  name: string;
  shape: readonly [number] | readonly [number, number];
  kind: "normal" | "ones";
}

/** Standard deviation of the random weights: what trained models of this size have. */
const SIGMA = 0.02;
/** Prime, so that no matrix has a row length that divides it and rows do not repeat in step. */
const POOL = 8_388_593;
const CHUNK_BYTES = 2 * POOL;
/** Room asked for beyond the checkpoint itself. */
const SPARE = 1.1;
const BF16_ONE = 0x3f80;

const DEMO = join(import.meta.dirname, "..", "resources", "demo-model", "model");
/** Token that the demo tokenizer puts first, and the channel of its embedding that drives the planted weight. */
const BOS = 1;
const DRIVER = 77;
/** So large that what the first layers write at BOS (a few units a channel) does not drown it. */
const DRIVE = 1000;

/**
 * Streams a BF16 checkpoint with random weights to `folder`, in shards of about `shardBytes`, with the demo model's
 * tokenizer. The plant works as in the demo model: one large channel of the BOS embedding drives gate and up of one MLP
 * neuron, and one `down_proj` weight carries that neuron into one residual channel.
 * @throws Error where the disk has too little room
 */
export async function writeRandomCheckpoint(
  folder: string,
  shape: Shape,
  plant: Plant,
  shardBytes: number,
): Promise<number> {
  await mkdir(folder, { recursive: true });
  const tensors = tensorsOf(shape);
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  await checkRoom(folder, total);
  const pool = normalPool();
  const shards = cutShards(tensors, shardBytes);
  const weightMap: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const file =
      shards.length === 1
        ? "model.safetensors"
        : `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`;
    for (const { name } of shard) weightMap[name] = file;
    await writeShard(join(folder, file), shard, pool, plants(shape, plant));
  }
  if (shards.length > 1) {
    await writeFile(
      join(folder, "model.safetensors.index.json"),
      JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }),
    );
  }
  await writeFile(join(folder, "config.json"), JSON.stringify(configOf(shape), null, 2));
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(DEMO, file), join(folder, file));
  return total;
}

function tensorsOf({ layers, hidden, intermediate, heads, keyValueHeads, vocabulary }: Shape): Tensor[] {
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

/**
 * Values to put in, by tensor and flat index. RMSNorm scales the BOS token's driving channel to about √hidden; gate and
 * up weights of √128 / √hidden bring the neuron to about 128, far above its neighbours yet too little for any other
 * weight of its column to make a spike of its own.
 */
function plants(
  { hidden, intermediate }: Shape,
  { layer, row, column, value }: Plant,
): Map<string, [number, number][]> {
  const mlp = `model.layers.${layer}.mlp`;
  const weight = Math.sqrt(128 / hidden);
  return new Map([
    ["model.embed_tokens.weight", [[BOS * hidden + DRIVER, DRIVE]]],
    [`${mlp}.gate_proj.weight`, [[column * hidden + DRIVER, weight]]],
    [`${mlp}.up_proj.weight`, [[column * hidden + DRIVER, weight]]],
    [`${mlp}.down_proj.weight`, [[row * intermediate + column, value]]],
  ]);
}

async function writeShard(
  path: string,
  tensors: readonly Tensor[],
  pool: Uint16Array,
  planted: ReturnType<typeof plants>,
): Promise<void> {
  const file = await open(path, "wx");
  try {
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
    await file.write(Buffer.concat([prefix, json]));
    let position = 8 + json.length;
    for (const tensor of tensors) {
      await writeTensor(file, position, tensor, pool, planted.get(tensor.name) ?? []);
      position += bytesOf(tensor);
    }
  } finally {
    await file.close();
  }
}

async function writeTensor(
  file: FileHandle,
  position: number,
  tensor: Tensor,
  pool: Uint16Array,
  planted: readonly [number, number][],
): Promise<void> {
  const bytes = bytesOf(tensor);
  if (tensor.kind === "ones") {
    const ones = new Uint16Array(bytes / 2).fill(BF16_ONE);
    await file.write(new Uint8Array(ones.buffer), 0, bytes, position);
  } else {
    // Every tensor begins elsewhere in the pool: its name decides where.
    const turn = createHash("sha256").update(tensor.name).digest().readUInt32LE() % POOL;
    const source = Buffer.concat([bytesIn(pool.subarray(turn)), bytesIn(pool.subarray(0, turn))]);
    for (let at = 0; at < bytes; at += CHUNK_BYTES) {
      await file.write(source, 0, Math.min(CHUNK_BYTES, bytes - at), position + at);
    }
  }
  for (const [index, value] of planted)
    await file.write(bytesIn(Uint16Array.of(toBf16(value))), 0, 2, position + 2 * index);
}

/** Normal numbers with σ = {@link SIGMA} as BF16 (Box–Muller over a small seeded generator). */
function normalPool(): Uint16Array {
  let state = 0x9e3779b9;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / 4_294_967_297;
  };
  return Uint16Array.from({ length: POOL }, () =>
    toBf16(SIGMA * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())),
  );
}

const scratch = new Float32Array(1);
const scratchWord = new Uint32Array(scratch.buffer);

/** Nearest BF16, ties to even, of a finite number. */
function toBf16(value: number): number {
  scratch[0] = value;
  const word = scratchWord[0] ?? 0;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

async function checkRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes * SPARE) {
    throw new Error(
      `${folder} has ${(free / 1e9).toFixed(1)} GB free; ${((bytes * SPARE) / 1e9).toFixed(1)} GB are needed. Set TMPDIR to a larger disk.`,
    );
  }
}

function cutShards(tensors: readonly Tensor[], shardBytes: number): Tensor[][] {
  const shards: Tensor[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    if (size > 0 && size + bytesOf(tensor) > shardBytes) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)?.push(tensor);
    size += bytesOf(tensor);
  }
  return shards;
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

function bytesOf({ shape }: Tensor): number {
  return 2 * shape.reduce((product: number, size) => product * size, 1);
}

function bytesIn(words: Uint16Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}

function five(n: number): string {
  return String(n).padStart(5, "0");
}
