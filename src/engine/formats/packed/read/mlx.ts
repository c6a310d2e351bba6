import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import type { MlxPacking } from "#engine/checkpoint/packing/mlxPacking.ts";
import { mlxAffine } from "#engine/quantize/schemes/mlxAffine.ts";
import { unpackBits } from "../layout/bitPacking.ts";
import { forRuns } from "../layout/rowRuns.ts";
import { badPacking, logicalInfo, part, readWords, roundRun, type PackedMatrix } from "./matrix.ts";

/** Words of packed rows read at once. */
const BAND_WORDS = 1024 * 1024;
const along = { start: 0, step: 1 };
const HELD = ["F16", "BF16", "F32"];

/**
 * The modules of an MLX checkpoint: weight (rows, words of a row's codes), scales and biases (rows, groups).
 * ŵ is what the scheme `mlx` makes of codes and constants.
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
      const plan = {
        name: codes.name,
        columns,
        scheme: "mlx",
        bits,
        symmetric: false,
        storage: dtype,
      } as const;
      const decoder = mlxAffine.create(plan, rows * groups, { kind: "biased", scale, bias });
      const row = new Uint8Array(columns);
      await forRuns(wanted, bandRows, async (from, count, done) => {
        const stored = await readWords(checkpoint, codes.name, from * words, (from + count) * words);
        for (let i = 0; i < count; i++) {
          unpackBits(stored, { start: i * words, step: 1 }, columns, bits, row, along);
          const at = (done + i) * columns;
          for (let group = 0; group < groups; group++) {
            const first = group * groupSize;
            decoder.decode((from + i) * groups + group, row, first, first + groupSize, out, at + first);
          }
          roundRun(out, at, at + columns, dtype);
        }
      });
    },
  };
}
