import { moveRows, type RowOrder } from "../layout/headRows.ts";
import { ggmlType } from "../layout/ggmlTypes.ts";
import { unpackBlocks } from "../read/blocks/unpackBlocks.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { TensorInfo } from "#shared/model.ts";
import { judgedWeights, packedWeights, sourceBytes } from "../../write/exportedTensor.ts";
import type { WriteInput } from "../../write/exporter.ts";
import { requireFinite, toStorageBytes } from "../../write/storageBytes.ts";
import { packBlocks } from "./packBlocks.ts";
import type { GgufTensorPlan } from "./planGguf.ts";
import { blockType, ownBlocks } from "./storedTypes.ts";

/** Bytes handed on at once. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * The data of one tensor as the file holds it, in order. A quantized tensor is in memory as f32 and as codes; others never
 * whole, except queries and keys whose rows move.
 * @throws KeystoneError checkpoint/not-finite, checkpoint/read-failed, quantize/…
 */
export async function* tensorData(
  { model: { checkpoint }, variant, memory }: Pick<WriteInput, "model" | "variant" | "memory">,
  { source, order, type, onePlus }: GgufTensorPlan,
): AsyncGenerator<Uint8Array> {
  if (source instanceof Float32Array) {
    yield bytesOf(source);
    return;
  }
  if (onePlus) {
    yield bytesOf((await checkpoint.read(source.name)).map((weight) => 1 + weight));
    return;
  }
  const plan = variant.plans.get(source.name);
  if (!plan && type === source.dtype && order === null && !source.packed) {
    yield* sourceBytes(checkpoint, source.name);
    return;
  }
  let data: Uint8Array;
  if (plan && isStorageType(type)) {
    data = toStorageBytes(await judgedWeights(checkpoint, variant, source.name, memory), type, source.name);
  } else if (plan) {
    const packed = await packedWeights(checkpoint, variant, source.name, memory);
    data = packBlocks(requireType(blockType(plan)), packed);
  } else if (type === ownBlocks(source)) {
    if (order === null) {
      yield* copiedBlocks(checkpoint, source, type);
      return;
    }
    data = await gathered(copiedBlocks(checkpoint, source, type));
  } else data = await unquantized(checkpoint, source, type);
  if (order !== null) data = moved(data, source, order);
  for (let at = 0; at < data.byteLength; at += CHUNK_BYTES) yield data.subarray(at, at + CHUNK_BYTES);
}

/**
 * The very blocks of a GGUF source, a stretch at a time.
 * @throws KeystoneError checkpoint/not-finite where one means a weight that is no number
 */
async function* copiedBlocks(
  checkpoint: Checkpoint,
  { name, parameters }: TensorInfo,
  type: string,
): AsyncGenerator<Uint8Array> {
  const { weights, bytes } = ggmlType(type);
  const blocks = parameters / weights;
  const atOnce = Math.floor(CHUNK_BYTES / bytes);
  const values = new Float32Array(Math.min(blocks, atOnce) * weights);
  for (let first = 0; first < blocks; first += atOnce) {
    const count = Math.min(atOnce, blocks - first);
    const chunk = await checkpoint.readBytes(name, first * bytes, (first + count) * bytes);
    const meant = values.subarray(0, count * weights);
    unpackBlocks(type, chunk, meant);
    requireFinite(bytesOf(meant), "F32", name, first * weights);
    yield chunk;
  }
}

/** The whole tensor in its own type, dequantized where the source holds it packed, or widened to F32. */
async function unquantized(
  checkpoint: Checkpoint,
  { name, dtype, packed }: TensorInfo,
  type: string,
): Promise<Uint8Array> {
  if (packed && isStorageType(type)) return toStorageBytes(await checkpoint.read(name), type, name);
  if (type === dtype) {
    return gathered(sourceBytes(checkpoint, name));
  }
  const values = bytesOf(await checkpoint.read(name));
  requireFinite(values, "F32", name);
  return values;
}

async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Rows in llama.cpp's order. */
function moved(data: Uint8Array, { shape }: TensorInfo, { fileRow }: RowOrder): Uint8Array {
  const out = new Uint8Array(data.byteLength);
  moveRows(data, data.byteLength / shape[0], fileRow, out);
  return out;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function requireType<T>(type: T | null): T {
  // problems() was asked before anything was written
  if (type === null) throw new TypeError("a planned tensor has no block type");
  return type;
}
