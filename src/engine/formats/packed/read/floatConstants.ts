import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { isStorageType, type StorageType } from "#engine/numeric/storageTypes.ts";
import { BYTE_VALUES } from "../layout/floatCodes.ts";
import { badPacking } from "./matrix.ts";

/** The type that a checkpoint of 8- and 4-bit floats computes in: as config.json says, else BF16. */
export function floatTypeOf(config: Readonly<Record<string, unknown>>): StorageType {
  const named = config["dtype"] ?? config["torch_dtype"];
  if (named === "float32" || named === "torch.float32") return "F32";
  return named === "float16" || named === "torch.float16" ? "F16" : "BF16";
}

/** A tensor of scales in f32: floats of any width, or bytes that are exponents. @throws KeystoneError checkpoint/bad-packing */
export async function readScales(checkpoint: Checkpoint, { name, dtype }: TensorInfo): Promise<Float32Array> {
  if (isStorageType(dtype)) return checkpoint.read(name);
  const values = BYTE_VALUES[dtype === "U8" ? "F8_E8M0" : dtype];
  if (!values) throw badPacking(name, `is stored as ${dtype}, which no scales are`);
  return Float32Array.from(await checkpoint.readBytes(name), (byte) => values[byte]);
}

/** How scales lie on a matrix: one for each block of so many rows and columns. */
export interface ScaleGrid {
  readonly across: number;
  readonly blockRows: number;
  readonly blockColumns: number;
}

/**
 * One scale for the matrix, one for each row, or one for each block.
 * @param blocks sizes that the config names; the blocks at a matrix's end may be smaller
 * @throws KeystoneError checkpoint/bad-packing
 */
export function scaleGrid(
  scale: TensorInfo,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  blocks: readonly [number, number] | null,
): ScaleGrid {
  const { shape, parameters } = scale;
  if (parameters === 1) return { across: 1, blockRows: rows, blockColumns: columns };
  if (parameters === rows && (shape.length === 1 || shape[1] === 1))
    return { across: 1, blockRows: 1, blockColumns: columns };
  const [down, across] = shape.length === 2 ? shape : [0, 0];
  if (blocks && Math.ceil(rows / blocks[0]) === down && Math.ceil(columns / blocks[1]) === across)
    return { across, blockRows: blocks[0], blockColumns: blocks[1] };
  if (down > 0 && across > 0 && rows % down === 0 && columns % across === 0)
    return { across, blockRows: rows / down, blockColumns: columns / across };
  throw badPacking(
    scale.name,
    `has the shape [${shape.join(", ")}], which is no grid of blocks over ${rows} × ${columns} weights`,
  );
}

/** `tensor`, `channel`, `block 128×128`. */
export function gridText({ blockRows, blockColumns }: ScaleGrid, rows: number, columns: number): string {
  if (blockColumns >= columns && blockRows >= rows) return "tensor";
  return blockColumns >= columns && blockRows === 1 ? "channel" : `block ${blockRows}×${blockColumns}`;
}
