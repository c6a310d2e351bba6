import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { ByteSource } from "./byteSource.ts";
import { isStorageType, STORAGE_BYTES } from "./dtypes.ts";
import { shown } from "./strictJson.ts";
import type { StorageType } from "./types.ts";
import { widen } from "./widen.ts";

/** Bytes read at once: large enough for the disk, small beside a tensor. Divisible by every element size. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Rows of an embedding table this near each other are read in one go: skipping less than this costs a second request. */
const GAP_BYTES = 16 * 1024;

/** Storage type of a tensor that can be read. @throws KeystoneError checkpoint/unreadable-dtype */
export function storageOf(tensor: TensorInfo): StorageType {
  if (isStorageType(tensor.dtype)) return tensor.dtype;
  throw new KeystoneError(
    "checkpoint/unreadable-dtype",
    `Tensor ${shown(tensor.name)} is stored as ${tensor.dtype}; Keystone computes with F32, F16 and BF16.`,
    "Use the model's original checkpoint, or convert this one to BF16 or F16.",
    { tensor: tensor.name, dtype: tensor.dtype },
  );
}

/**
 * A whole tensor, widened into `out` (row-major f32). While one chunk is widened the next is read; beside `out`
 * two chunks are in memory.
 */
export async function readWhole(source: ByteSource, tensor: TensorInfo, out: Float32Array): Promise<void> {
  const storage = storageOf(tensor);
  if (out.length !== tensor.parameters) {
    throw new RangeError(
      `${tensor.name} has ${tensor.parameters} elements; the buffer for it holds ${out.length}`,
    );
  }
  const size = STORAGE_BYTES[storage];
  const chunkBytes = Math.min(CHUNK_BYTES, tensor.bytes);
  const buffers = [new Uint8Array(chunkBytes), new Uint8Array(tensor.bytes > CHUNK_BYTES ? chunkBytes : 0)];
  const fetchChunk = async (begin: number): Promise<Uint8Array> => {
    const chunk = buffers[(begin / CHUNK_BYTES) % 2].subarray(0, Math.min(CHUNK_BYTES, tensor.bytes - begin));
    await source.readInto(chunk, tensor.begin + begin);
    return chunk;
  };
  let coming = tensor.bytes > 0 ? fetchChunk(0) : null;
  for (let begin = 0; coming !== null; begin += CHUNK_BYTES) {
    const chunk: Uint8Array = await coming;
    coming = begin + CHUNK_BYTES < tensor.bytes ? fetchChunk(begin + CHUNK_BYTES) : null;
    widen(chunk, storage, out.subarray(begin / size, (begin + chunk.byteLength) / size));
  }
}

/**
 * Rows of a 2-D tensor, widened, in the order asked: (indices.length, columns). Neighbouring rows come in one read.
 * @throws KeystoneError checkpoint/not-a-matrix, checkpoint/no-such-row, checkpoint/unreadable-dtype
 */
export async function readRowsOf(
  source: ByteSource,
  tensor: TensorInfo,
  indices: ArrayLike<number>,
): Promise<Float32Array> {
  const storage = storageOf(tensor);
  const [rows, columns] = matrixShape(tensor);
  const rowBytes = columns * STORAGE_BYTES[storage];
  const out = new Float32Array(indices.length * columns);
  for (const run of runsOf(sortedRows(tensor, indices, rows), rowBytes)) {
    const first = run[0].row;
    const span = new Uint8Array((run[run.length - 1].row - first + 1) * rowBytes);
    await source.readInto(span, tensor.begin + first * rowBytes);
    for (const { row, place } of run) {
      // a copy, because a row of odd length would leave the next one unaligned
      const bytes = span.slice((row - first) * rowBytes, (row - first + 1) * rowBytes);
      widen(bytes, storage, out.subarray(place * columns, (place + 1) * columns));
    }
  }
  return out;
}

function matrixShape(tensor: TensorInfo): readonly [number, number] {
  if (tensor.shape.length === 2) return [tensor.shape[0], tensor.shape[1]];
  throw new KeystoneError(
    "checkpoint/not-a-matrix",
    `Tensor ${shown(tensor.name)} has the shape [${tensor.shape.join(", ")}]; rows are read from a matrix.`,
    "Check that config.json and the weights belong to the same model.",
    { tensor: tensor.name, dimensions: tensor.shape.length },
  );
}

interface AskedRow {
  readonly row: number;
  /** Row of the output it goes to. */
  readonly place: number;
}

function sortedRows(tensor: TensorInfo, indices: ArrayLike<number>, rows: number): AskedRow[] {
  const asked = Array.from(indices, (row, place) => ({ row, place }));
  const wrong = asked.find(({ row }) => !Number.isInteger(row) || row < 0 || row >= rows);
  if (wrong) {
    throw new KeystoneError(
      "checkpoint/no-such-row",
      `Row ${wrong.row} of ${shown(tensor.name)} was asked for; it has rows 0 to ${rows - 1}.`,
      "Check that the tokenizer belongs to this model: its token ids must lie inside the vocabulary.",
      { tensor: tensor.name, row: wrong.row, rows },
    );
  }
  return asked.sort((a, b) => a.row - b.row);
}

/** Cuts sorted rows into runs that are read at once. */
function runsOf(asked: readonly AskedRow[], rowBytes: number): AskedRow[][] {
  const runs: AskedRow[][] = [];
  for (const next of asked) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const near = last !== undefined && (next.row - last.row - 1) * rowBytes <= GAP_BYTES;
    if (run && near && (next.row - run[0].row + 1) * rowBytes <= CHUNK_BYTES) run.push(next);
    else runs.push([next]);
  }
  return runs;
}
