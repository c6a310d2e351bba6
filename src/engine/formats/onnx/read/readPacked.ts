import { KeystoneError } from "#shared/errors.ts";
import { readRange, type ByteSource } from "#engine/files/byteSource.ts";
import { shown } from "#engine/files/strictJson.ts";
import { widen } from "#engine/numeric/widen.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { PackedParts } from "./findMatrices.ts";
import type { Place } from "#engine/checkpoint/tensorInfo.ts";

/** A packed matrix whose parts' places are known. */
export interface PlacedMatrix {
  readonly parts: PackedParts;
  readonly codes: Place;
  readonly scales: Place;
  readonly scaleType: StorageType;
  readonly zeroPoints: Place | null;
  readonly restored: { readonly rows: Place; readonly columns: Place; readonly values: Place } | null;
}

/** Weights dequantized at once: what is in memory beside the result. */
const CHUNK_WEIGHTS = 2 ** 22;

/**
 * Rows [first, first + count) of a packed matrix: (code − zero)·scale in f32, as onnxruntime computes it, and the restored
 * weights in their places.
 * @param out (count, columns) row-major
 * @throws KeystoneError onnx/bad-restored, checkpoint/read-failed
 */
export async function readPackedRows(
  sourceOf: (file: string) => ByteSource,
  matrix: PlacedMatrix,
  first: number,
  count: number,
  out: Float32Array,
): Promise<void> {
  const { columns } = matrix.parts;
  const step = Math.max(1, Math.floor(CHUNK_WEIGHTS / columns));
  for (let row = first; row < first + count; row += step) {
    const rows = Math.min(step, first + count - row);
    const target = out.subarray((row - first) * columns, (row - first + rows) * columns);
    await dequantizeRows(sourceOf, matrix, row, rows, target);
  }
  await putRestored(sourceOf, matrix, first, count, out);
}

async function dequantizeRows(
  sourceOf: (file: string) => ByteSource,
  { parts, ...places }: PlacedMatrix,
  first: number,
  count: number,
  out: Float32Array,
): Promise<void> {
  const { rows, columns, blocks, blockSize, bits } = parts;
  /** The bytes of some rows of a part whose rows are equally long. */
  const rowsOf = ({ file, begin, end }: Place): Promise<Uint8Array> => {
    const width = (end - begin) / rows;
    return readRange(sourceOf(file), begin + first * width, begin + (first + count) * width);
  };
  const codes = await rowsOf(places.codes);
  const scales = new Float32Array(count * blocks);
  widen(await rowsOf(places.scales), places.scaleType, scales);
  const zeros = places.zeroPoints && (await rowsOf(places.zeroPoints));
  const [codeWidth, zeroWidth] = [codes.length / count, (zeros?.length ?? 0) / count];
  const ofAll = 2 ** (bits - 1);
  for (let row = 0; row < count; row++) {
    for (let block = 0; block < blocks; block++) {
      const zero = zeros ? codeAt(zeros, row * zeroWidth, block, bits) : ofAll;
      const scale = scales[row * blocks + block];
      const last = Math.min(columns, (block + 1) * blockSize);
      for (let column = block * blockSize; column < last; column++)
        out[row * columns + column] = (codeAt(codes, row * codeWidth, column, bits) - zero) * scale;
    }
  }
}

/** Code i of a row that begins at byte `at`: the lowest bits of a byte come first. */
function codeAt(bytes: Uint8Array, at: number, i: number, bits: number): number {
  const bit = i * bits;
  return (bytes[at + (bit >> 3)] >> (bit & 7)) & ((1 << bits) - 1);
}

async function putRestored(
  sourceOf: (file: string) => ByteSource,
  { parts, restored }: PlacedMatrix,
  first: number,
  count: number,
  out: Float32Array,
): Promise<void> {
  if (!restored) return;
  const whole = async ({ file, begin, end }: Place): Promise<ArrayBufferLike> =>
    (await readRange(sourceOf(file), begin, end)).buffer;
  const rows = new Int32Array(await whole(restored.rows));
  const columns = new Int32Array(await whole(restored.columns));
  const values = new Float32Array(await whole(restored.values));
  for (let i = 0; i < values.length; i++) {
    const [row, column] = [rows[i], columns[i]];
    if (!(row >= 0 && row < parts.rows && column >= 0 && column < parts.columns))
      throw badRestored(parts, row, column);
    const at = (row - first) * parts.columns + column;
    // the graph adds it to what the packed product gives there, which is 0 in what Keystone writes
    if (row >= first && row < first + count) out[at] = Math.fround(out[at] + values[i]);
  }
}

function badRestored({ name, rows, columns }: PackedParts, row: number, column: number): KeystoneError {
  return new KeystoneError(
    "onnx/bad-restored",
    `${shown(name)} has a restored weight at row ${row}, column ${column}, but ${rows} rows and ${columns} columns.`,
    "The file is damaged: export it again.",
    { tensor: name, row, column },
  );
}
