import { createHash } from "node:crypto";
import { mkdir, open, statfs, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import {
  BOS,
  bytesOf,
  cutShards,
  headerBytes,
  tensorsOf,
  writeSideFiles,
  type Shape,
  type Tensor,
} from "./checkpointShape.ts";

/** The weight put in so that detection has something to find: `down_proj`[row, column] of a layer. */
export interface Plant {
  layer: number;
  row: number;
  column: number;
  value: number;
}

/** Standard deviation of the random weights: what trained models of this size have. */
const SIGMA = 0.02;
/** Prime, so that no matrix has a row length that divides it and rows do not repeat in step. */
const POOL = 8_388_593;
const CHUNK_BYTES = 2 * POOL;
/** Room asked for beyond the checkpoint itself. */
const SPARE = 1.1;
const BF16_ONE = 0x3f80;

/** Channel of the BOS embedding that drives the planted weight. */
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
  for (const { file, tensors: share } of shards) {
    await writeShard(join(folder, file), share, pool, plants(shape, plant));
  }
  await writeSideFiles(folder, shape, shards);
  return total;
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
    const header = headerBytes(tensors);
    await file.write(header);
    let position = header.length;
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

function bytesIn(words: Uint16Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}
