import type { TensorInfo } from "#shared/model.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

/** Rows compared at a time. */
const ROWS = 1024;

/** By revision and names, whether two tensors of a model hold the same values: asked again whenever a worker opens it. */
const known = new Map<string, boolean>();
const MAX_KNOWN = 64;

/**
 * Whether two matrices hold the same values, read a piece at a time until they differ. Matrices of other shapes do not; of types
 * that cannot be read, those with the same bytes do.
 * @throws KeystoneError checkpoint/read-failed
 */
export async function sameValues(checkpoint: Checkpoint, a: TensorInfo, b: TensorInfo): Promise<boolean> {
  const key = JSON.stringify([checkpoint.revision, a.name, b.name]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const same = a.shape.join() === b.shape.join() && (await compare(checkpoint, a, b));
  const [oldest] = known.keys();
  if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(key, same);
  return same;
}

async function compare(checkpoint: Checkpoint, a: TensorInfo, b: TensorInfo): Promise<boolean> {
  const [rows, columns] = a.shape;
  if (a.shape.length !== 2) return false;
  const plain = a.packed === undefined && b.packed === undefined && a.dtype === b.dtype;
  if (!plain && !(isStorageType(a.dtype) && isStorageType(b.dtype))) return false;
  const bytesOfRow = rows === 0 ? 0 : a.bytes / rows;
  for (let row = 0; row < rows; row += ROWS) {
    const end = Math.min(rows, row + ROWS);
    const piece = ({ name }: TensorInfo): Promise<Uint8Array | Float32Array> =>
      plain
        ? checkpoint.readBytes(name, row * bytesOfRow, end * bytesOfRow)
        : checkpoint.readRows(
            name,
            Uint32Array.from({ length: end - row }, (_, i) => row + i),
          );
    const [left, right] = await Promise.all([piece(a), piece(b)]);
    for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  }
  return columns > 0;
}
