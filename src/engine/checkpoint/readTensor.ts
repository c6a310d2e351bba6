import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { ByteSource } from "#engine/files/byteSource.ts";
import { isStorageType, STORAGE_BYTES, type StorageType } from "#engine/numeric/storageTypes.ts";
import { shown } from "#engine/files/strictJson.ts";
import { widen } from "#engine/numeric/widen.ts";

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

/** How stored bytes become weights: `bytes` of them are `weights` weights, and decode() takes any number of such units. */
export interface RowFormat {
  readonly weights: number;
  readonly bytes: number;
  /** `bytes` begins on a multiple of 4 of its buffer. */
  decode(bytes: Uint8Array, out: Float32Array): void;
}

/** One weight after another in a storage type. @throws KeystoneError checkpoint/unreadable-dtype */
export function plainFormat(tensor: TensorInfo): RowFormat {
  const storage = storageOf(tensor);
  return { weights: 1, bytes: STORAGE_BYTES[storage], decode: (bytes, out) => widen(bytes, storage, out) };
}

/** What reading needs to know of a tensor. */
type StoredFields = Pick<TensorInfo, "name" | "shape" | "parameters" | "bytes" | "begin">;

/**
 * A whole tensor, decoded into `out` (row-major f32). While one chunk is decoded the next is read; beside `out`
 * two chunks are in memory.
 */
export async function readWhole(
  source: ByteSource,
  tensor: StoredFields,
  out: Float32Array,
  format: RowFormat,
): Promise<void> {
  if (out.length !== tensor.parameters) {
    throw new RangeError(
      `${tensor.name} has ${tensor.parameters} elements; the buffer for it holds ${out.length}`,
    );
  }
  const perByte = format.weights / format.bytes;
  const step = CHUNK_BYTES - (CHUNK_BYTES % format.bytes);
  // a tensor that fits one chunk gets memory of its size
  const pooled = tensor.bytes > step;
  const buffers = pooled ? [takeChunk(), takeChunk()] : [new Uint8Array(tensor.bytes)];
  const fetchChunk = async (begin: number): Promise<Uint8Array> => {
    const chunk = buffers[(begin / step) % buffers.length].subarray(0, Math.min(step, tensor.bytes - begin));
    await source.readInto(chunk, tensor.begin + begin);
    return chunk;
  };
  let coming = tensor.bytes > 0 ? fetchChunk(0) : null;
  for (let begin = 0; coming !== null; begin += step) {
    const chunk: Uint8Array = await coming;
    coming = begin + step < tensor.bytes ? fetchChunk(begin + step) : null;
    const from = Math.round(begin * perByte);
    format.decode(chunk, out.subarray(from, from + Math.round(chunk.byteLength * perByte)));
  }
  // not after a failure: the chunk that was coming may still be written to
  if (pooled) spareChunks.push(...buffers.slice(0, SPARE_CHUNKS - spareChunks.length));
}

/** Chunks that no read needs at the moment: new memory for each tensor would cost pages and garbage collections. */
const spareChunks: Uint8Array[] = [];
const SPARE_CHUNKS = 4;

function takeChunk(): Uint8Array {
  return spareChunks.pop() ?? new Uint8Array(CHUNK_BYTES);
}

/**
 * Rows of a 2-D tensor, decoded, in the order asked: (indices.length, columns). Neighbouring rows come in one read.
 * @throws KeystoneError checkpoint/not-a-matrix, checkpoint/no-such-row
 */
export async function readRowsOf(
  source: ByteSource,
  tensor: StoredFields,
  indices: ArrayLike<number>,
  format: RowFormat,
): Promise<Float32Array> {
  const [rows, columns] = matrixShape(tensor);
  const rowBytes = (columns / format.weights) * format.bytes;
  const out = new Float32Array(indices.length * columns);
  for (const run of runsOf(sortedRows(tensor, indices, rows), rowBytes)) {
    const first = run[0].row;
    const span = new Uint8Array((run[run.length - 1].row - first + 1) * rowBytes);
    await source.readInto(span, tensor.begin + first * rowBytes);
    for (const { row, place } of run) {
      // a copy, because a row of odd length would leave the next one unaligned
      const bytes = span.slice((row - first) * rowBytes, (row - first + 1) * rowBytes);
      format.decode(bytes, out.subarray(place * columns, (place + 1) * columns));
    }
  }
  return out;
}

function matrixShape(tensor: StoredFields): readonly [number, number] {
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

function sortedRows(tensor: StoredFields, indices: ArrayLike<number>, rows: number): AskedRow[] {
  requireRows(tensor.name, indices, rows);
  return Array.from(indices, (row, place) => ({ row, place })).sort((a, b) => a.row - b.row);
}

/** @throws KeystoneError checkpoint/no-such-row for the first row that a matrix of `rows` rows does not have */
export function requireRows(tensor: string, indices: ArrayLike<number>, rows: number): void {
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i];
    if (Number.isInteger(row) && row >= 0 && row < rows) continue;
    throw new KeystoneError(
      "checkpoint/no-such-row",
      `Row ${row} of ${shown(tensor)} was asked for; it has rows 0 to ${rows - 1}.`,
      "Check that the tokenizer belongs to this model: its token ids must lie inside the vocabulary.",
      { tensor, row, rows },
    );
  }
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
