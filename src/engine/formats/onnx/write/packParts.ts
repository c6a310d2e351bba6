import { packedNames } from "../layout/names.ts";
import { packNibbles } from "../../packed/layout/bitPacking.ts";
import type { Packed } from "#engine/quantize/quantize.ts";
import { packedMatrix, type PackedMatrix } from "./packedMatrix.ts";

/** Zero point of the half byte behind the last block of a row with an odd number of blocks, as onnxruntime's quantizer leaves it. */
const SPARE_ZERO_POINT = 8;

/**
 * What a packed tensor is stored as, by stored name: codes (rows, blocks, bytes of a block), scales (rows, blocks) f32, zero
 * points (rows, bytes), and rows, columns and values of the restored weights. Bytes are little-endian.
 */
export function packParts(packed: Packed): ReadonlyMap<string, Uint8Array> {
  const { plan, constants } = packed;
  if (constants.kind !== "integer") throw new TypeError(`${plan.name} has no integer codes`);
  const matrix = packedMatrix(plan);
  const names = packedNames(plan.name, plan.bits);
  const parts = new Map<string, Uint8Array>([
    [names.codes, packCodes(codesWithRoom(packed, constants.zeroPoints, matrix), matrix)],
    [names.scales, bytesOf(new Float32Array(constants.scale))],
  ]);
  if (!plan.symmetric) parts.set(names.zeroPoints, packZeroPoints(constants.zeroPoints, matrix));
  const { indices, values } = packed.restored;
  if (indices.length > 0) {
    parts.set(
      names.restoredRows,
      bytesOf(Int32Array.from(indices, (index) => Math.floor(index / plan.columns))),
    );
    parts.set(names.restoredColumns, bytesOf(Int32Array.from(indices, (index) => index % plan.columns)));
    parts.set(names.restoredValues, bytesOf(values));
  }
  return parts;
}

/** The codes, with the block's zero point where a weight is restored: it then adds nothing to the packed product. */
function codesWithRoom(
  { codes, plan, restored }: Packed,
  zeroPoints: Uint8Array,
  matrix: PackedMatrix,
): Uint8Array {
  if (restored.indices.length === 0) return codes;
  const made = codes.slice();
  for (const index of restored.indices) {
    const [row, column] = [Math.floor(index / plan.columns), index % plan.columns];
    made[index] = zeroPoints[row * matrix.blocks + Math.floor(column / matrix.blockSize)];
  }
  return made;
}

/** Rows of whole blocks, filled up with code 0; 4 bits: two a byte, the lower half first. */
function packCodes(codes: Uint8Array, { plan, blocks, blockSize }: PackedMatrix): Uint8Array {
  const { rows, columns, bits } = plan;
  const width = blocks * blockSize;
  let filled = codes;
  if (width !== columns) {
    filled = new Uint8Array(rows * width);
    for (let row = 0; row < rows; row++)
      filled.set(codes.subarray(row * columns, (row + 1) * columns), row * width);
  }
  return bits === 8 ? filled : packHalves(filled);
}

function packZeroPoints(zeroPoints: Uint8Array, { plan, blocks }: PackedMatrix): Uint8Array {
  if (plan.bits === 8) return zeroPoints;
  if (blocks % 2 === 0) return packHalves(zeroPoints);
  const even = new Uint8Array(plan.rows * (blocks + 1)).fill(SPARE_ZERO_POINT);
  for (let row = 0; row < plan.rows; row++)
    even.set(zeroPoints.subarray(row * blocks, (row + 1) * blocks), row * (blocks + 1));
  return packHalves(even);
}

function packHalves(codes: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(codes.length / 2);
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
  packNibbles(codes, words);
  for (let i = 4 * words.length; i < bytes.length; i++) bytes[i] = codes[2 * i] | (codes[2 * i + 1] << 4);
  return bytes;
}

function bytesOf(values: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
