import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { isStorageType, type StorageType } from "#engine/numeric/storageTypes.ts";
import { BYTE_VALUES } from "../layout/floatCodes.ts";
import { floatTypeOf, gridText, readScales, scaleGrid, type ScaleGrid } from "./floatConstants.ts";
import { logicalInfo, roundRun, type PackedMatrix } from "./matrix.ts";
import { forRuns } from "../layout/rowRuns.ts";

const { fround } = Math;

/** What of the config bears on how 8-bit floats are read. */
export interface FloatSettings {
  /** Rows and columns of a block; null = as the scales' shape says. */
  readonly block: readonly [number, number] | null;
  /** Whether weights are rounded to their scales' type, as compressed-tensors does, and not to the model's. */
  readonly asScales: boolean;
}

/** Bytes of codes read at once. */
const BAND_BYTES = 4 * 1024 * 1024;

/**
 * Matrices of 8-bit floats (F8_E4M3, F8_E5M2) with their scales beside them: `weight_scale_inv` or `weight_scale`, both of which
 * multiply; none = 1. ŵ = value·scale in f32, rounded to the type that the model computes in.
 * @throws KeystoneError checkpoint/bad-packing
 */
export function floatMatrices(checkpoint: Checkpoint, settings: FloatSettings): PackedMatrix[] {
  return [...checkpoint.tensors.values()].flatMap((tensor) =>
    tensor.shape.length === 2 && isByteFloat(tensor) && !/_scale(?:_inv)?$/.test(tensor.name)
      ? [matrix(checkpoint, tensor, settings)]
      : [],
  );
}

/** Whether a tensor is of 8-bit floats that are weights: exponents alone are scales. */
export function isByteFloat({ dtype }: Pick<TensorInfo, "dtype">): boolean {
  return dtype === "F8_E4M3" || dtype === "F8_E5M2";
}

function matrix(checkpoint: Checkpoint, codes: TensorInfo, settings: FloatSettings): PackedMatrix {
  const [rows, columns] = codes.shape;
  const scale =
    checkpoint.tensors.get(`${codes.name}_scale_inv`) ?? checkpoint.tensors.get(`${codes.name}_scale`);
  const grid = scale ? scaleGrid(scale, { rows, columns }, settings.block) : null;
  const dtype = typeOf(checkpoint, scale, settings);
  const kind = codes.dtype === "F8_E4M3" ? "E4M3" : "E5M2";
  const scheme = grid ? `FP8 ${kind}, ${gridText(grid, rows, columns)}` : `FP8 ${kind}`;
  const infos = [codes, ...(scale ? [scale] : [])];
  return {
    info: logicalInfo(codes.name, codes, infos, { rows, columns, dtype, scheme }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const scales = scale ? await readScales(checkpoint, scale) : null;
      const values = BYTE_VALUES[codes.dtype];
      const most = Math.max(1, Math.floor(BAND_BYTES / Math.max(1, columns)));
      await forRuns(wanted, most, async (from, count, done) => {
        const stored = await checkpoint.readBytes(codes.name, from * columns, (from + count) * columns);
        for (let i = 0; i < count; i++)
          decodeRow(
            stored,
            i * columns,
            columns,
            values,
            scalesOf(scales, grid, from + i),
            out,
            (done + i) * columns,
          );
        roundRun(out, done * columns, (done + count) * columns, dtype);
      });
    },
  };
}

function typeOf(
  checkpoint: Checkpoint,
  scale: TensorInfo | undefined,
  { asScales }: FloatSettings,
): StorageType {
  return asScales && scale && isStorageType(scale.dtype) ? scale.dtype : floatTypeOf(checkpoint.config);
}

interface RowScales {
  readonly scales: Float32Array;
  readonly first: number;
  readonly columns: number;
}

function scalesOf(scales: Float32Array | null, grid: ScaleGrid | null, row: number): RowScales | null {
  if (!scales || !grid) return null;
  return { scales, first: Math.floor(row / grid.blockRows) * grid.across, columns: grid.blockColumns };
}

function decodeRow(
  codes: Uint8Array,
  from: number,
  count: number,
  values: Float32Array,
  by: RowScales | null,
  out: Float32Array,
  at: number,
): void {
  if (!by) {
    for (let i = 0; i < count; i++) out[at + i] = values[codes[from + i]];
    return;
  }
  for (let i = 0, block = by.first; i < count; block++) {
    const scale = by.scales[block];
    for (const end = Math.min(count, i + by.columns); i < end; i++)
      out[at + i] = fround(values[codes[from + i]] * scale);
  }
}
