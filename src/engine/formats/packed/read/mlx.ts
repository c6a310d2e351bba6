import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { bitsOf, roundToStorage } from "#engine/numeric/halfTypes.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import type { MlxPacking } from "#engine/checkpoint/packing/mlxPacking.ts";
import { unpackBits } from "../layout/bitPacking.ts";
import { forRuns } from "../layout/rowRuns.ts";
import { badPacking, logicalInfo, part, readWords, type PackedMatrix } from "./matrix.ts";

/** Words of packed rows read at once. */
const BAND_WORDS = 1024 * 1024;
const along = { start: 0, step: 1 };
const HELD = ["F16", "BF16", "F32"];

/**
 * The modules of an MLX checkpoint: weight (rows, words of a row's codes), scales and biases (rows, groups).
 * ŵ = code·scale + bias, rounded to the scales' type T after each step, as mlx.core.dequantize does on a CPU.
 * @throws KeystoneError checkpoint/bad-packing
 */
export function mlxMatrices(checkpoint: Checkpoint, packing: MlxPacking): PackedMatrix[] {
  return [...checkpoint.tensors.values()]
    .filter(({ name, dtype }) => name.endsWith(".weight") && dtype === "U32")
    .map((codes) => matrix(checkpoint, codes, packing));
}

function matrix(checkpoint: Checkpoint, codes: TensorInfo, packing: MlxPacking): PackedMatrix {
  part(checkpoint, codes.name, { dtypes: ["U32"], shape: [null, null] });
  const base = codes.name.replace(/\.weight$/, "");
  const { groupSize, bits } = packing.modules.get(base) ?? packing;
  const [rows, words] = codes.shape;
  const columns = (words * 32) / bits;
  if (!Number.isInteger(columns / groupSize))
    throw badPacking(
      codes.name,
      `holds ${words} words a row, which are no whole groups of ${groupSize} codes of ${bits} bits`,
    );
  const groups = columns / groupSize;
  const scales = part(checkpoint, `${base}.scales`, { dtypes: HELD, shape: [rows, groups] });
  const biases = part(checkpoint, `${base}.biases`, { dtypes: [scales.dtype], shape: [rows, groups] });
  const dtype = isStorageType(scales.dtype) ? scales.dtype : "F32";
  const infos = [codes, scales, biases];
  const scheme = `MLX int${bits}, group ${groupSize}`;
  const bandRows = Math.max(1, Math.floor(BAND_WORDS / Math.max(1, words)));
  return {
    info: logicalInfo(codes.name, codes, infos, { rows, columns, dtype, scheme }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const scale = await checkpoint.read(scales.name);
      const bias = await checkpoint.read(biases.name);
      const row = new Uint8Array(columns);
      const bitPatterns = bitsOf(out);
      await forRuns(wanted, bandRows, async (from, count, done) => {
        const stored = await readWords(checkpoint, codes.name, from * words, (from + count) * words);
        for (let i = 0; i < count; i++) {
          unpackBits(stored, { start: i * words, step: 1 }, columns, bits, row, along);
          const at = (done + i) * columns;
          const constants = (from + i) * groups;
          for (let c = 0; c < columns; c++)
            out[at + c] = row[c] * scale[constants + Math.floor(c / groupSize)];
          roundToStorage(out, bitPatterns, at, at + columns, dtype);
          for (let c = 0; c < columns; c++) out[at + c] += bias[constants + Math.floor(c / groupSize)];
          roundToStorage(out, bitPatterns, at, at + columns, dtype);
        }
      });
    },
  };
}
