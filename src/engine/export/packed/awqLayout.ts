import { AWQ_ORDER } from "#engine/checkpoint/packed/awq.ts";
import { narrow } from "#engine/checkpoint/narrow.ts";
import { bytesOf, groupsOf, integerConstants, transposed, type ModuleLayout } from "./moduleLayout.ts";

const ROWS_PER_WORD = AWQ_ORDER.length;

/**
 * AWQ's module for gemm: qweight (columns, words of eight rows' codes), qzeros (groups, likewise) and scales (groups, rows). In
 * every word the rows come in AWQ's order.
 */
export const awqLayout: ModuleLayout = {
  tensors(plan) {
    const { name, rows, columns } = plan;
    const { groups } = groupsOf(plan);
    const base = name.replace(/\.weight$/, "");
    return [
      { name: `${base}.qweight`, dtype: "I32", shape: [columns, rows / ROWS_PER_WORD] },
      { name: `${base}.qzeros`, dtype: "I32", shape: [groups, rows / ROWS_PER_WORD] },
      { name: `${base}.scales`, dtype: "F16", shape: [groups, rows] },
    ];
  },
  pack(packed) {
    const { rows, columns } = packed.plan;
    const { groups } = groupsOf(packed.plan);
    const { scale, zero } = integerConstants(packed);
    return [
      bytesOf(packRows(packed.codes, rows, columns)),
      bytesOf(packRows(zero, rows, groups)),
      narrow(transposed(scale, rows, groups), "F16"),
    ];
  },
};

/** Codes (rows, columns) as words (columns, rows / 8). */
function packRows(codes: Uint8Array, rows: number, columns: number): Uint32Array {
  const words = rows / ROWS_PER_WORD;
  const out = new Uint32Array(columns * words);
  for (let word = 0; word < words; word++) {
    const starts = AWQ_ORDER.map((row) => (word * ROWS_PER_WORD + row) * columns);
    for (let column = 0; column < columns; column++) {
      let packed = 0;
      for (let k = 0; k < ROWS_PER_WORD; k++) packed |= codes[starts[k] + column] << (4 * k);
      out[column * words + word] = packed;
    }
  }
  return out;
}
