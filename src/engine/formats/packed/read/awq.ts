import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { columnsPerGroup, groupText } from "./groupColumns.ts";
import { halfTypeOf, readTransposedScales } from "./halfConstants.ts";
import { decodeRun, logicalInfo, part, readWords, roundRun, type PackedMatrix } from "./matrix.ts";
import type { AwqPacking } from "#engine/checkpoint/packing/packing.ts";

/** Which of eight neighbouring rows nibble k of a word belongs to. */
export const AWQ_ORDER: readonly number[] = [0, 2, 4, 6, 1, 3, 5, 7];
const ROWS_PER_WORD = 8;
/** Columns that are taken apart at once. */
const BAND = 256;

/**
 * The modules of an AWQ checkpoint (gemm): qweight (columns, words of eight rows' codes), qzeros (groups, likewise) and scales
 * (groups, rows); in every word the rows come in the order 0, 2, 4, 6, 1, 3, 5, 7.
 * @throws KeystoneError checkpoint/bad-packing
 */
export function awqMatrices(checkpoint: Checkpoint, packing: AwqPacking): PackedMatrix[] {
  const codes = [...checkpoint.tensors.values()].filter(({ name }) => name.endsWith(".qweight"));
  const dtype = halfTypeOf(checkpoint.config);
  return codes.map((qweight) => matrix(checkpoint, qweight, packing, dtype));
}

function matrix(
  checkpoint: Checkpoint,
  qweight: TensorInfo,
  { groupSizes }: AwqPacking,
  dtype: StorageType,
): PackedMatrix {
  part(checkpoint, qweight.name, { dtypes: ["I32"], shape: [null, null] });
  const base = qweight.name.replace(/\.qweight$/, "");
  const [columns, words] = qweight.shape;
  const rows = words * ROWS_PER_WORD;
  const scales = part(checkpoint, `${base}.scales`, { dtypes: ["F16", "BF16", "F32"], shape: [null, rows] });
  const groups = scales.shape[0];
  const groupOf = columnsPerGroup({ name: scales.name, columns, groups }, groupSizes);
  const qzeros = part(checkpoint, `${base}.qzeros`, { dtypes: ["I32"], shape: [groups, words] });
  const infos = [qweight, qzeros, scales];
  const scheme = `AWQ int4, ${groupText(groups, groupOf)}`;
  return {
    info: logicalInfo(`${base}.weight`, qweight, infos, { rows, columns, dtype, scheme }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const scale = await readTransposedScales(checkpoint, scales, dtype);
      const zeroPoints = new Uint8Array(rows * groups);
      const packed = await readWords(checkpoint, qzeros.name, 0, groups * words);
      for (let row = 0; row < rows; row++) takeRow(packed, words, row, groups, zeroPoints, row * groups);
      const constants = { scale, zeroPoints, groups, groupOf };
      const codes = new Uint8Array(BAND);
      for (let first = 0; first < columns; first += BAND) {
        const end = Math.min(columns, first + BAND);
        const band = await readWords(checkpoint, qweight.name, first * words, end * words);
        for (let i = 0; i < wanted.length; i++) {
          takeRow(band, words, wanted[i], end - first, codes, 0);
          const at = i * columns + first;
          decodeRun(constants, wanted[i], first, codes, end - first, out, at);
          roundRun(out, at, at + end - first, dtype);
        }
      }
    },
  };
}

/** codes[at …] = the nibbles of one row in `count` lines of words. */
function takeRow(
  lines: Uint32Array,
  words: number,
  row: number,
  count: number,
  codes: Uint8Array,
  at: number,
): void {
  const shift = 4 * AWQ_ORDER.indexOf(row % ROWS_PER_WORD);
  let place = Math.floor(row / ROWS_PER_WORD);
  for (let i = 0; i < count; i++, place += words) codes[at + i] = (lines[place] >>> shift) & 15;
}
