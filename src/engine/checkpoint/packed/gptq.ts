import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint, StorageType } from "../types.ts";
import { unpackBits, wordsFor } from "./bitPacking.ts";
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
import type { GptqPacking } from "./packing.ts";

/** Rows of words that are taken apart at once: a run of columns of every row, short enough to stay in cache. */
const BAND = 24;
const along = { start: 0, step: 1 };
/** What version 1 takes off a whole word of zero points: 1 of each. */
const ONES: Readonly<Record<number, number>> = { 2: 0x55555555, 4: 0x11111111, 8: 0x01010101 };

interface Module {
  readonly qweight: TensorInfo;
  readonly qzeros: TensorInfo;
  readonly scales: TensorInfo;
  readonly index: TensorInfo | null;
  readonly rows: number;
  readonly columns: number;
  readonly groups: number;
  readonly bits: number;
}

/**
 * The modules of a GPTQ checkpoint: qweight (words of a row's codes, rows), qzeros (groups, words of a group's zero points),
 * scales (groups, rows) and g_idx (columns). Each is a matrix the other way round.
 * @throws KeystoneError checkpoint/bad-packing
 */
export function gptqMatrices(checkpoint: Checkpoint, packing: GptqPacking): PackedMatrix[] {
  const codes = [...checkpoint.tensors.values()].filter(({ name }) => name.endsWith(".qweight"));
  const dtype = halfTypeOf(checkpoint.config);
  return codes.map((qweight) =>
    matrix(checkpoint, moduleOf(checkpoint, qweight, packing.bits), packing.version, dtype),
  );
}

function moduleOf(checkpoint: Checkpoint, qweight: TensorInfo, declared: number): Module {
  part(checkpoint, qweight.name, { dtypes: ["I32"], shape: [null, null] });
  const base = qweight.name.replace(/\.qweight$/, "");
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
  if (groups < 1 || (!index && columns % groups !== 0))
    throw badPacking(scales.name, `has ${groups} groups for ${columns} columns`);
  const qzeros = part(checkpoint, `${base}.qzeros`, {
    dtypes: ["I32"],
    shape: [groups, wordsFor(rows, bits)],
  });
  return { qweight, qzeros, scales, index, rows, columns, groups, bits };
}

function matrix(checkpoint: Checkpoint, module: Module, version: 1 | 2, dtype: StorageType): PackedMatrix {
  const { qweight, qzeros, scales, index, rows, columns, groups, bits } = module;
  const infos = [qweight, qzeros, scales, ...(index ? [index] : [])];
  const per = groups === 1 ? "channel" : `group ${Math.ceil(columns / groups)}`;
  const codec = `GPTQ int${bits}, ${per}`;
  return {
    info: logicalInfo(qweight.name.replace(/\.qweight$/, ".weight"), qweight, infos, {
      rows,
      columns,
      dtype,
      codec,
    }),
    parts: infos.map(({ name }) => name),
    async readRows(wanted, out) {
      const constants = await readConstants(checkpoint, module, version, dtype);
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
  { qzeros, scales, index, rows, columns, groups, bits }: Module,
  version: 1 | 2,
  dtype: StorageType,
): Promise<Constants> {
  const words = qzeros.shape[1];
  const packed = await readWords(checkpoint, qzeros.name, 0, groups * words);
  const ones = version === 1 ? ONES[bits] : 0;
  if (ones) for (let i = 0; i < packed.length; i++) packed[i] += ones;
  const zero = new Uint8Array(rows * groups);
  for (let group = 0; group < groups; group++)
    unpackBits(packed, { start: group * words, step: 1 }, rows, bits, zero, { start: group, step: groups });
  if (version === 1 && bits === 3) for (let i = 0; i < zero.length; i++) zero[i] = (zero[i] + 1) & 7;
  return {
    scale: await readTransposedScales(checkpoint, scales, dtype),
    zero,
    groups,
    groupOf: index ? await readIndices(checkpoint, index, groups) : columns / groups,
  };
}
