import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import { roundToStorage, bitsOf } from "#engine/numeric/halfTypes.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { shown } from "#engine/files/strictJson.ts";
import { isLinear, layerOf, roleOf } from "#engine/checkpoint/tensorRole.ts";

/** A matrix whose file holds codes and constants, as readers of the checkpoint see it. */
export interface PackedMatrix {
  readonly info: TensorInfo & { readonly dtype: StorageType };
  /** The file's own tensors that it is made of. */
  readonly parts: readonly string[];
  /** ŵ of some rows, in the order asked, row-major: out holds rows.length × columns values. */
  readRows(rows: ArrayLike<number>, out: Float32Array): Promise<void>;
}

/** What codes mean: ŵ = (code − zero)·scale of the row's group, rounded to the matrix's type. */
export interface Constants {
  /** (rows, groups), values of the matrix's type. */
  readonly scale: Float32Array;
  readonly zeroPoints: Uint8Array;
  readonly groups: number;
  /** Columns of a group where they follow each other; otherwise the group of every column. */
  readonly groupOf: number | Uint32Array;
}

const { fround } = Math;

/** out[at …] = the values of codes[0, count), which are columns first … of one row, not yet rounded. */
export function decodeRun(
  { scale, zeroPoints, groups, groupOf }: Constants,
  row: number,
  first: number,
  codes: Uint8Array,
  count: number,
  out: Float32Array,
  at: number,
): void {
  const constants = row * groups;
  if (typeof groupOf !== "number") {
    for (let i = 0; i < count; i++) {
      const constant = constants + groupOf[first + i];
      out[at + i] = fround((codes[i] - zeroPoints[constant]) * scale[constant]);
    }
    return;
  }
  for (let i = 0; i < count;) {
    const group = Math.floor((first + i) / groupOf);
    const end = Math.min(count, (group + 1) * groupOf - first);
    const z = zeroPoints[constants + group];
    const s = scale[constants + group];
    for (; i < end; i++) out[at + i] = fround((codes[i] - z) * s);
  }
}

/** Rounds out[from, to) to the type that runtimes compute the matrix in. */
export function roundRun(out: Float32Array, from: number, to: number, dtype: StorageType): void {
  roundToStorage(out, bitsOf(out), from, to, dtype);
}

/** A stored tensor of a module. @throws KeystoneError checkpoint/bad-packing where it is missing or of another type or shape */
export function part(
  checkpoint: Checkpoint,
  name: string,
  { dtypes, shape }: { dtypes: readonly string[]; shape: readonly (number | null)[] },
): TensorInfo {
  const found = checkpoint.tensors.get(name);
  if (!found) throw badPacking(name, "is missing");
  if (!dtypes.includes(found.dtype))
    throw badPacking(name, `is stored as ${found.dtype} and not ${dtypes.join(" or ")}`);
  const fits =
    found.shape.length === shape.length && shape.every((size, i) => size === null || size === found.shape[i]);
  if (!fits)
    throw badPacking(
      name,
      `has the shape [${found.shape.join(", ")}]; its module needs [${shape.map((size) => size ?? "any").join(", ")}]`,
    );
  return found;
}

/** The error of a module whose tensors do not belong together. */
export function badPacking(tensor: string, how: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/bad-packing",
    `Tensor ${shown(tensor)} of a packed module ${how}.`,
    "The checkpoint is damaged or not what its config.json says: download it again.",
    { tensor },
  );
}

/** A tensor's stored bytes [begin, end) as 32-bit words. */
export async function readWords(
  checkpoint: Checkpoint,
  name: string,
  begin: number,
  end: number,
): Promise<Uint32Array> {
  const bytes = await checkpoint.readBytes(name, begin * 4, end * 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, end - begin);
}

/** The logical tensor: its name, shape and type are what a model's equations ask for, its bytes all that the file holds of it. */
export function logicalInfo(
  name: string,
  codes: TensorInfo,
  parts: readonly TensorInfo[],
  { rows, columns, dtype, scheme }: { rows: number; columns: number; dtype: StorageType; scheme: string },
): TensorInfo & { readonly dtype: StorageType } {
  const bytes = parts.reduce((sum, { bytes: size }) => sum + size, 0);
  const parameters = rows * columns;
  if (!Number.isSafeInteger(parameters)) throw badPacking(codes.name, `claims ${rows} × ${columns} weights`);
  const shape = [rows, columns];
  return {
    ...codes,
    name,
    shape,
    dtype,
    parameters,
    bytes,
    role: roleOf(name),
    layer: layerOf(name),
    linear: isLinear(name, shape),
    packed: { scheme, bitsPerWeight: parameters === 0 ? 0 : (bytes * 8) / parameters },
  };
}
