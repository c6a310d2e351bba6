import { packBits, packRows, wordsFor } from "../layout/bitPacking.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import {
  bytesOf,
  groupsOf,
  integerConstants,
  transposed,
  transposedWords,
  type ModuleLayout,
} from "./moduleLayout.ts";

/**
 * GPTQ's module: qweight (words of a row's codes, rows), qzeros (groups, words of a group's zero points), scales (groups, rows)
 * and g_idx, the group of every column.
 * @param version 1 stores zero points less one, which cannot hold 0: for symmetric codes alone
 */
export function gptqLayout(version: 1 | 2): ModuleLayout {
  return {
    tensors(plan) {
      const { name, rows, columns, bits } = plan;
      const { groups, size } = groupsOf(plan);
      const base = name.replace(/\.weight$/, "");
      return [
        { name: `${base}.qweight`, dtype: "I32", shape: [wordsFor(columns, bits), rows] },
        { name: `${base}.qzeros`, dtype: "I32", shape: [groups, wordsFor(rows, bits)] },
        { name: `${base}.scales`, dtype: "F16", shape: [groups, rows] },
        { name: `${base}.g_idx`, dtype: "I32", shape: [columns], data: groupIndex(columns, size) },
      ];
    },
    pack(packed) {
      const { plan, codes } = packed;
      const { rows, columns, bits } = plan;
      const { groups } = groupsOf(plan);
      const { scale, zeroPoints } = integerConstants(packed);
      const words = transposedWords(packRows(codes, rows, columns, bits), rows, wordsFor(columns, bits));
      const stored = version === 1 ? zeroPoints.map((point) => point - 1) : zeroPoints;
      const perGroup = wordsFor(rows, bits);
      const zeros = new Uint32Array(groups * perGroup);
      for (let group = 0; group < groups; group++) {
        const to = { start: group * perGroup, step: 1 };
        packBits(stored, { start: group, step: groups }, rows, bits, zeros, to);
      }
      return [bytesOf(words), bytesOf(zeros), narrow(transposed(scale, rows, groups), "F16")];
    },
  };
}

function groupIndex(columns: number, size: number): Uint8Array {
  return bytesOf(Int32Array.from({ length: columns }, (_, column) => Math.floor(column / size)));
}
