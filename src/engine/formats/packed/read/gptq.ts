import type { Note } from "#shared/notes.ts";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { unpackBits, wordsFor } from "../layout/bitPacking.ts";
import { columnsPerGroup, groupText, usualGroupColumns } from "./groupColumns.ts";
import { readingNotes, readingOf, type GptqModule, type GptqReading } from "./gptqReading.ts";
import { readIndices } from "./groupIndex.ts";
import { halfTypeOf, readTransposedScales } from "./halfConstants.ts";
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
import type { GptqPacking } from "#engine/checkpoint/packing/packing.ts";

const EMPTY_INDEX = {
  code: "empty-index",
  text: "it holds nothing but zeros beside several groups; columns are in the order of their groups",
};
/** Rows of words that are taken apart at once: a run of columns of every row, short enough to stay in cache. */
const BAND = 24;
const along = { start: 0, step: 1 };
/** What version 1 takes off a whole word of zero points: 1 of each. */
const ONES: Readonly<Record<number, number>> = { 2: 0x55555555, 4: 0x11111111, 8: 0x01010101 };

interface Module extends GptqModule {
  readonly qweight: TensorInfo;
  readonly scales: TensorInfo;
}

/** The modules of a checkpoint, and what a person should know of how they were read. */
export interface GptqMatrices {
  readonly matrices: readonly PackedMatrix[];
  readonly notes: readonly Note[];
  /** Parts that are not used. */
  readonly inventory: Inventory;
}

/**
 * The modules of a GPTQ checkpoint: qweight (words of a row's codes, rows), qzeros (groups, words of a group's zero points),
 * scales (groups, rows) and g_idx (columns). Each is a matrix the other way round.
 * @throws KeystoneError checkpoint/bad-packing, checkpoint/read-failed
 */
export async function gptqMatrices(checkpoint: Checkpoint, packing: GptqPacking): Promise<GptqMatrices> {
  const dtype = halfTypeOf(checkpoint.config);
  const modules = [...checkpoint.tensors.values()]
    .filter(({ name }) => name.endsWith(".qweight"))
    .map((qweight) => moduleOf(checkpoint, qweight, packing));
  const read: { name: string; bits: number; module: Module; reading: GptqReading }[] = [];
  for (const module of modules) {
    const reading = await readingOf(checkpoint, module, packing);
    read.push({ name: baseOf(module.qweight), bits: module.bits, module, reading });
  }
  return {
    matrices: read.map(({ module, reading }) => matrix(checkpoint, module, reading, dtype)),
    notes: readingNotes(read, packing),
    inventory: read.flatMap(({ module, reading }) =>
      module.index && reading.oddities.includes("empty-index")
        ? [{ name: module.index.name, kind: "tensor", notUsedBecause: EMPTY_INDEX }]
        : [],
    ),
  };
}

function baseOf({ name }: TensorInfo): string {
  return name.replace(/\.qweight$/, "");
}

function moduleOf(checkpoint: Checkpoint, qweight: TensorInfo, packing: GptqPacking): Module {
  const declared = packing.bits;
  part(checkpoint, qweight.name, { dtypes: ["I32"], shape: [null, null] });
  const base = baseOf(qweight);
  const [words, rows] = qweight.shape;
  const hasIndex = checkpoint.tensors.has(`${base}.g_idx`);
  const index = hasIndex
    ? part(checkpoint, `${base}.g_idx`, { dtypes: ["I32", "I64"], shape: [null] })
    : null;
  const columns = index ? index.parameters : Math.floor((words * 32) / declared);
  // modules may have bits of their own
  const bits = [declared, 2, 3, 4, 8].find((width) => wordsFor(columns, width) === words);
  if (bits === undefined)
    throw badPacking(
      qweight.name,
      `holds ${words} words for ${columns} weights of a row, which is no width of GPTQ's`,
    );
  const scales = part(checkpoint, `${base}.scales`, { dtypes: ["F16", "BF16", "F32"], shape: [null, rows] });
  const groups = scales.shape[0];
  const qzeros = part(checkpoint, `${base}.qzeros`, {
    dtypes: ["I32"],
    shape: [groups, wordsFor(rows, bits)],
  });
  const sizeOf = index ? usualGroupColumns : columnsPerGroup;
  const groupColumns = sizeOf({ name: scales.name, columns, groups }, packing.groupSizes);
  return { qweight, qzeros, scales, index, rows, columns, groups, bits, groupColumns };
}

function matrix(
  checkpoint: Checkpoint,
  module: Module,
  reading: GptqReading,
  dtype: StorageType,
): PackedMatrix {
  const { qweight, qzeros, scales, index, rows, columns, groups, bits, groupColumns } = module;
  const infos = [qweight, qzeros, scales, ...(index ? [index] : [])];
  const scheme = `GPTQ int${bits}, ${groupText(groups, groupColumns)}`;
  return {
    info: logicalInfo(`${baseOf(qweight)}.weight`, qweight, infos, { rows, columns, dtype, scheme }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const constants = await readConstants(checkpoint, module, reading, dtype);
      const total = qweight.shape[0];
      const codes = new Uint8Array(Math.ceil((BAND * 32) / bits));
      for (let word = 0; word < total; word += BAND) {
        const end = Math.min(total, word + BAND);
        const words = await readWords(checkpoint, qweight.name, word * rows, end * rows);
        const first = (word * 32) / bits;
        const count = Math.min(columns - first, ((end - word) * 32) / bits);
        for (let i = 0; i < wanted.length; i++) {
          unpackBits(words, { start: wanted[i], step: rows }, count, bits, codes, along);
          const at = i * columns + first;
          decodeRun(constants, wanted[i], first, codes, count, out, at);
          roundRun(out, at, at + count, dtype);
        }
      }
    },
  };
}

async function readConstants(
  checkpoint: Checkpoint,
  { qzeros, scales, index, rows, groups, groupColumns, bits }: Module,
  { version, indexed }: GptqReading,
  dtype: StorageType,
): Promise<Constants> {
  const words = qzeros.shape[1];
  const packed = await readWords(checkpoint, qzeros.name, 0, groups * words);
  const ones = version === 1 ? ONES[bits] : 0;
  if (ones) for (let i = 0; i < packed.length; i++) packed[i] += ones;
  const zeroPoints = new Uint8Array(rows * groups);
  for (let group = 0; group < groups; group++)
    unpackBits(packed, { start: group * words, step: 1 }, rows, bits, zeroPoints, {
      start: group,
      step: groups,
    });
  if (version === 1 && bits === 3)
    for (let i = 0; i < zeroPoints.length; i++) zeroPoints[i] = (zeroPoints[i] + 1) & 7;
  return {
    scale: await readTransposedScales(checkpoint, scales, dtype),
    zeroPoints,
    groups,
    groupOf: index && indexed ? await readIndices(checkpoint, index, groups) : groupColumns,
  };
}
