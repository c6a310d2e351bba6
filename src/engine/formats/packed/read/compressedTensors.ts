import type { TensorInfo } from "#shared/model.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { unpackBits, wordsFor } from "../layout/bitPacking.ts";
import { forRuns } from "../layout/rowRuns.ts";
import { constantParts, readConstants, type ConstantParts, type ModuleSize } from "./compressedConstants.ts";
import { groupText } from "./groupColumns.ts";
import {
  badPacking,
  decodeRun,
  logicalInfo,
  part,
  readWords,
  roundRun,
  type PackedMatrix,
} from "./matrix.ts";
import type { CompressedTensorsPacking } from "#engine/checkpoint/packing/packing.ts";

/** Words of packed rows read at once. */
const BAND_WORDS = 1024 * 1024;
const along = { start: 0, step: 1 };

/**
 * The modules of a compressed-tensors checkpoint. `pack-quantized`: weight_packed (rows, words of a row's codes), weight_scale
 * (rows, groups), weight_shape and, where asymmetric, weight_zero_point (words of a column's zero points, groups).
 * `int-quantized`: weight and zero points as signed bytes. Codes here are the stored ones, signed values plus half the levels.
 * @throws KeystoneError checkpoint/bad-packing, checkpoint/read-failed
 */
export async function compressedTensorsMatrices(
  checkpoint: Checkpoint,
  packing: CompressedTensorsPacking,
): Promise<PackedMatrix[]> {
  const matrices: PackedMatrix[] = [];
  for (const tensor of checkpoint.tensors.values()) {
    const { name } = tensor;
    if (name.endsWith(".weight_packed") && tensor.dtype !== "U8")
      matrices.push(await packedModule(checkpoint, tensor, packing));
    else if (name.endsWith(".weight") && tensor.dtype === "I8" && checkpoint.tensors.has(`${name}_scale`))
      matrices.push(byteModule(checkpoint, tensor, packing));
  }
  return matrices;
}

async function packedModule(
  checkpoint: Checkpoint,
  codes: TensorInfo,
  packing: CompressedTensorsPacking,
): Promise<PackedMatrix> {
  const base = codes.name.replace(/_packed$/, "");
  part(checkpoint, codes.name, { dtypes: ["I32"], shape: [null, null] });
  const [rows, words] = codes.shape;
  const shape = part(checkpoint, `${base}_shape`, { dtypes: ["I64", "I32"], shape: [2] });
  const columns = await readColumns(checkpoint, shape, rows);
  const bits = packing.bits.filter((width) => wordsFor(columns, width) === words);
  if (bits.length !== 1)
    throw badPacking(
      codes.name,
      `holds ${words} words for ${columns} weights, which is no width that config.json names`,
    );
  const size = { base, rows, columns, width: bits[0] };
  const constants = constantParts(checkpoint, size, packing.groupSizes, "words");
  const infos = [codes, shape, ...constants.parts];
  return matrix(checkpoint, { ...size, codes, infos, constants }, async (run) => {
    const stored = await readWords(checkpoint, codes.name, run.from * words, run.to * words);
    return (row, into) =>
      unpackBits(stored, { start: (row - run.from) * words, step: 1 }, columns, size.width, into, along);
  });
}

function byteModule(
  checkpoint: Checkpoint,
  codes: TensorInfo,
  packing: CompressedTensorsPacking,
): PackedMatrix {
  part(checkpoint, codes.name, { dtypes: ["I8"], shape: [null, null] });
  const [rows, columns] = codes.shape;
  const size = { base: codes.name, rows, columns, width: 8 };
  const constants = constantParts(checkpoint, size, packing.groupSizes, "bytes");
  const infos = [codes, ...constants.parts];
  return matrix(checkpoint, { ...size, codes, infos, constants }, async (run) => {
    const stored = await checkpoint.readBytes(codes.name, run.from * columns, run.to * columns);
    return (row, into) => {
      const begin = (row - run.from) * columns;
      for (let i = 0; i < columns; i++) into[i] = stored[begin + i] ^ 0x80;
    };
  });
}

/** weight_shape, checked against what is stored. */
async function readColumns(
  checkpoint: Checkpoint,
  { name, dtype }: TensorInfo,
  rows: number,
): Promise<number> {
  const bytes = await checkpoint.readBytes(name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first, second] =
    dtype === "I64"
      ? [view.getBigInt64(0, true), view.getBigInt64(8, true)]
      : [BigInt(view.getInt32(0, true)), BigInt(view.getInt32(4, true))];
  if (first !== BigInt(rows) || second < 1n || second > BigInt(Number.MAX_SAFE_INTEGER))
    throw badPacking(name, `says [${first}, ${second}] of a module of ${rows} rows`);
  return Number(second);
}

interface Module extends ModuleSize {
  readonly codes: TensorInfo;
  readonly infos: readonly TensorInfo[];
  readonly constants: ConstantParts;
}

/** Reads some rows' stored codes; what it returns writes one of these rows' codes. */
type ReadBand = (run: { from: number; to: number }) => Promise<(row: number, into: Uint8Array) => void>;

function matrix(checkpoint: Checkpoint, module: Module, readBand: ReadBand): PackedMatrix {
  const { base, codes, infos, rows, columns, width, constants } = module;
  const { scale, zeroPoint, groups, groupColumns, perTensor } = constants;
  const dtype = isStorageType(scale.dtype) ? scale.dtype : "F32";
  const per = perTensor ? "tensor" : groupText(groups, groupColumns);
  const scheme = `compressed-tensors int${width}, ${per}, ${zeroPoint ? "asymmetric" : "symmetric"}`;
  const bandRows = Math.max(1, Math.floor(BAND_WORDS / Math.max(1, wordsFor(columns, width))));
  return {
    info: logicalInfo(base, codes, infos, { rows, columns, dtype, scheme }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const values = await readConstants(checkpoint, module, constants);
      const into = new Uint8Array(columns);
      await forRuns(wanted, bandRows, async (from, count, done) => {
        const unpack = await readBand({ from, to: from + count });
        for (let i = 0; i < count; i++) {
          unpack(from + i, into);
          const at = (done + i) * columns;
          decodeRun(values, from + i, 0, into, columns, out, at);
          roundRun(out, at, at + columns, dtype);
        }
      });
    },
  };
}
