import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { unpackBits, wordsFor } from "../layout/bitPacking.ts";
import { columnsPerGroup, usualGroupColumns } from "./groupColumns.ts";
import type { GroupSize } from "#engine/checkpoint/packing/groupSize.ts";
import { readIndices } from "./groupIndex.ts";
import { part, readWords, type Constants } from "./matrix.ts";

const SCALES = ["F16", "BF16", "F32"];

/** The size of one module of compressed-tensors, and the widths of its codes. */
export interface ModuleSize {
  readonly base: string;
  readonly rows: number;
  readonly columns: number;
  readonly width: number;
}

/** Scales and zero points of one module as the file holds them. */
export interface ConstantParts {
  readonly groups: number;
  /** Columns of a group; the last group of a row may have fewer. */
  readonly groupColumns: number;
  /** One scale for the whole matrix. */
  readonly perTensor: boolean;
  readonly scale: TensorInfo;
  readonly zeroPoint: TensorInfo | null;
  readonly index: TensorInfo | null;
  readonly parts: readonly TensorInfo[];
}

/**
 * weight_scale (rows, groups), (rows) or a single number; weight_zero_point where the module is asymmetric, packed along
 * the rows or as signed bytes; weight_g_idx (columns) where columns are in another order than their groups.
 * @param zeroAs how zero points are stored where there is one for every group
 * @throws KeystoneError checkpoint/bad-packing
 */
export function constantParts(
  checkpoint: Checkpoint,
  { base, rows, columns, width }: ModuleSize,
  groupSizes: readonly GroupSize[],
  zeroAs: "words" | "bytes",
): ConstantParts {
  const found = checkpoint.tensors.get(`${base}_scale`);
  const perTensor = rows > 1 && found !== undefined && isSingle(found);
  // one scale a row may lack its second dimension
  const single = found?.shape.length === 1 && found.shape[0] === rows;
  const shape = perTensor ? found.shape : single ? [rows] : [rows, null];
  const scale = part(checkpoint, `${base}_scale`, { dtypes: SCALES, shape });
  const groups = perTensor ? 1 : (scale.shape[1] ?? 1);
  const index = checkpoint.tensors.has(`${base}_g_idx`)
    ? part(checkpoint, `${base}_g_idx`, { dtypes: ["I32", "I64"], shape: [columns] })
    : null;
  const sizeOf = index ? usualGroupColumns : columnsPerGroup;
  const groupColumns = sizeOf({ name: scale.name, columns, groups }, groupSizes);
  const zeroPoint = zeroPart(checkpoint, base, perTensor, {
    dtypes: [zeroAs === "words" ? "I32" : "I8"],
    shape: [zeroAs === "words" ? wordsFor(rows, width) : rows, groups],
  });
  const parts = [scale, ...(zeroPoint ? [zeroPoint] : []), ...(index ? [index] : [])];
  return { groups, groupColumns, perTensor, scale, zeroPoint, index, parts };
}

function isSingle({ parameters, shape }: TensorInfo): boolean {
  return parameters === 1 && shape.length <= 2;
}

function zeroPart(
  checkpoint: Checkpoint,
  base: string,
  perTensor: boolean,
  wanted: { dtypes: string[]; shape: number[] },
): TensorInfo | null {
  const name = `${base}_zero_point`;
  const found = checkpoint.tensors.get(name);
  if (!found) return null;
  // a matrix with one scale has one zero point, which is a byte in packed modules too
  if (perTensor && isSingle(found)) return part(checkpoint, name, { dtypes: ["I8"], shape: found.shape });
  return part(checkpoint, name, wanted);
}

/** The constants of every row and group, with codes counted from the lowest. @throws KeystoneError checkpoint/bad-packing */
export async function readConstants(
  checkpoint: Checkpoint,
  { rows, width }: ModuleSize,
  { groups, groupColumns, perTensor, scale, zeroPoint, index }: ConstantParts,
): Promise<Constants> {
  const stored = await checkpoint.read(scale.name);
  return {
    scale: perTensor ? new Float32Array(rows).fill(stored[0]) : stored,
    zeroPoints: await readZeroPoints(checkpoint, zeroPoint, rows, groups, width),
    groups,
    groupOf: index ? await readIndices(checkpoint, index, groups) : groupColumns,
  };
}

/** Signed zero points plus half the levels, as codes are counted; half the levels everywhere where the module has none. */
async function readZeroPoints(
  checkpoint: Checkpoint,
  stored: TensorInfo | null,
  rows: number,
  groups: number,
  width: number,
): Promise<Uint8Array> {
  const half = 2 ** (width - 1);
  const zero = new Uint8Array(rows * groups).fill(half);
  if (!stored) return zero;
  if (stored.dtype === "I8") {
    const bytes = await checkpoint.readBytes(stored.name);
    for (let i = 0; i < zero.length; i++) zero[i] = ((bytes[i % bytes.length] << 24) >> 24) + half;
    return zero;
  }
  const packed = await readWords(checkpoint, stored.name, 0, wordsFor(rows, width) * groups);
  for (let group = 0; group < groups; group++) {
    const place = { start: group, step: groups };
    unpackBits(packed, place, rows, width, zero, place);
  }
  return zero;
}
