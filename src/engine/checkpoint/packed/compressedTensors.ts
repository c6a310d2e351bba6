import type { TensorInfo } from "#shared/model.ts";
import { isStorageType } from "../dtypes.ts";
import type { Checkpoint } from "../types.ts";
import { unpackBits, wordsFor } from "./bitPacking.ts";
import { readIndices } from "./groupIndex.ts";
import {
  badPacking,
  decodeRun,
  logicalInfo,
  part,
  readWords,
  roundRun,
  type Constants,
  type PackedMatrix,
} from "./matrix.ts";
import type { CompressedTensorsPacking } from "./packing.ts";

/** Words of packed rows read at once. */
const BAND_WORDS = 1024 * 1024;
const along = { start: 0, step: 1 };
const SCALES = ["F16", "BF16", "F32"];

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
    if (name.endsWith(".weight_packed")) matrices.push(await packedModule(checkpoint, tensor, packing.bits));
    else if (name.endsWith(".weight") && tensor.dtype === "I8" && checkpoint.tensors.has(`${name}_scale`))
      matrices.push(byteModule(checkpoint, tensor));
  }
  return matrices;
}

async function packedModule(
  checkpoint: Checkpoint,
  codes: TensorInfo,
  declared: readonly number[],
): Promise<PackedMatrix> {
  const base = codes.name.replace(/_packed$/, "");
  part(checkpoint, codes.name, { dtypes: ["I32"], shape: [null, null] });
  const [rows, words] = codes.shape;
  const shape = part(checkpoint, `${base}_shape`, { dtypes: ["I64", "I32"], shape: [2] });
  const columns = await readColumns(checkpoint, shape, rows);
  const bits = declared.filter((width) => wordsFor(columns, width) === words);
  if (bits.length !== 1)
    throw badPacking(
      codes.name,
      `holds ${words} words for ${columns} weights, which is no width that config.json names`,
    );
  const [width] = bits;
  const constants = constantParts(checkpoint, base, rows, columns, (groups) => ({
    dtypes: ["I32"],
    shape: [wordsFor(rows, width), groups],
  }));
  const readZero = async (): Promise<Uint8Array> => {
    const { groups, zero: stored } = constants;
    const zero = new Uint8Array(rows * groups).fill(2 ** (width - 1));
    if (!stored) return zero;
    const packed = await readWords(checkpoint, stored.name, 0, wordsFor(rows, width) * groups);
    for (let group = 0; group < groups; group++) {
      const place = { start: group, step: groups };
      unpackBits(packed, place, rows, width, zero, place);
    }
    return zero;
  };
  const infos = [codes, shape, ...constants.parts];
  return matrix(
    checkpoint,
    { base, codes, infos, rows, columns, width, constants, readZero },
    async (run) => {
      const stored = await readWords(checkpoint, codes.name, run.from * words, run.to * words);
      return (row, into) =>
        unpackBits(stored, { start: (row - run.from) * words, step: 1 }, columns, width, into, along);
    },
  );
}

function byteModule(checkpoint: Checkpoint, codes: TensorInfo): PackedMatrix {
  part(checkpoint, codes.name, { dtypes: ["I8"], shape: [null, null] });
  const [rows, columns] = codes.shape;
  const base = codes.name;
  const constants = constantParts(checkpoint, base, rows, columns, (groups) => ({
    dtypes: ["I8"],
    shape: [rows, groups],
  }));
  const readZero = async (): Promise<Uint8Array> => {
    const { groups, zero: stored } = constants;
    if (!stored) return new Uint8Array(rows * groups).fill(128);
    return (await checkpoint.readBytes(stored.name)).map((byte) => byte ^ 0x80);
  };
  const infos = [codes, ...constants.parts];
  const module = { base, codes, infos, rows, columns, width: 8, constants, readZero };
  return matrix(checkpoint, module, async (run) => {
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

interface ConstantParts {
  readonly groups: number;
  readonly scale: TensorInfo;
  readonly zero: TensorInfo | null;
  readonly index: TensorInfo | null;
  readonly parts: readonly TensorInfo[];
}

function constantParts(
  checkpoint: Checkpoint,
  base: string,
  rows: number,
  columns: number,
  ofZero: (groups: number) => { dtypes: string[]; shape: number[] },
): ConstantParts {
  const found = checkpoint.tensors.get(`${base}_scale`);
  // one scale a row may lack its second dimension
  const single = found?.shape.length === 1 && found.shape[0] === rows;
  const scale = part(checkpoint, `${base}_scale`, { dtypes: SCALES, shape: single ? [rows] : [rows, null] });
  const groups = scale.shape[1] ?? 1;
  const indexed = checkpoint.tensors.has(`${base}_g_idx`);
  if (groups < 1 || (!indexed && columns % groups !== 0))
    throw badPacking(scale.name, `has ${groups} groups for ${columns} columns`);
  const zero = checkpoint.tensors.has(`${base}_zero_point`)
    ? part(checkpoint, `${base}_zero_point`, ofZero(groups))
    : null;
  const index = indexed
    ? part(checkpoint, `${base}_g_idx`, { dtypes: ["I32", "I64"], shape: [columns] })
    : null;
  const parts = [scale, ...(zero ? [zero] : []), ...(index ? [index] : [])];
  return { groups, scale, zero, index, parts };
}

interface Module {
  readonly base: string;
  readonly codes: TensorInfo;
  readonly infos: readonly TensorInfo[];
  readonly rows: number;
  readonly columns: number;
  readonly width: number;
  readonly constants: ConstantParts;
  readonly readZero: () => Promise<Uint8Array>;
}

/** Reads some rows' stored codes; what it returns writes one of these rows' codes. */
type ReadBand = (run: { from: number; to: number }) => Promise<(row: number, into: Uint8Array) => void>;

function matrix(checkpoint: Checkpoint, module: Module, readBand: ReadBand): PackedMatrix {
  const { base, codes, infos, rows, columns, width, constants } = module;
  const { scale, zero, index, groups } = constants;
  const dtype = isStorageType(scale.dtype) ? scale.dtype : "F32";
  const per = groups === 1 ? "channel" : `group ${Math.round(columns / groups)}`;
  const codec = `compressed-tensors int${width}, ${per}, ${zero ? "asymmetric" : "symmetric"}`;
  const bandRows = Math.max(1, Math.floor(BAND_WORDS / Math.max(1, wordsFor(columns, width))));
  return {
    info: logicalInfo(base, codes, infos, { rows, columns, dtype, codec }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const groupOf = index ? await readIndices(checkpoint, index, groups) : columns / groups;
      const scales = await checkpoint.read(scale.name);
      const values: Constants = { scale: scales, zero: await module.readZero(), groups, groupOf };
      const into = new Uint8Array(columns);
      for (let done = 0; done < wanted.length;) {
        const from = wanted[done];
        let count = 1;
        while (count < bandRows && wanted[done + count] === from + count) count++;
        const unpack = await readBand({ from, to: from + count });
        for (let i = 0; i < count; i++) {
          unpack(from + i, into);
          const at = (done + i) * columns;
          decodeRun(values, from + i, 0, into, columns, out, at);
          roundRun(out, at, at + columns, dtype);
        }
        done += count;
      }
    },
  };
}
