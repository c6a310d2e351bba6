import { AWQ_ORDER } from "../read/awq.ts";
import { narrow } from "#engine/numeric/narrow.ts";
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
    const { scale, zeroPoints } = integerConstants(packed);
    return [
      bytesOf(packRows(packed.codes, rows, columns)),
      bytesOf(packRows(zeroPoints, rows, groups)),
      narrow(transposed(scale, rows, groups), "F16"),
    ];
  },
};

/** Codes (rows, columns) as words (columns, rows / 8). */
function packRows(codes: Uint8Array, rows: number, columns: number): Uint32Array {
  const words = rows / ROWS_PER_WORD;
  const out = new Uint32Array(columns * words);
  const inFours = columns % 4 === 0 && codes.byteOffset % 4 === 0;
  const fours = inFours ? new Uint32Array(codes.buffer, codes.byteOffset, codes.length / 4) : null;
  for (let word = 0; word < words; word++) {
    const starts = AWQ_ORDER.map((row) => (word * ROWS_PER_WORD + row) * columns);
    if (fours) packFours(fours, starts, columns, out, word, words);
    else packColumns(codes, starts, columns, out, word, words);
  }
  return out;
}

/** One word a column, from eight rows that begin at `starts`; column c's goes to out[at + c·step]. */
function packColumns(
  codes: Uint8Array,
  starts: readonly number[],
  columns: number,
  out: Uint32Array,
  at: number,
  step: number,
): void {
  for (let column = 0; column < columns; column++) {
    let packed = 0;
    for (let k = 0; k < ROWS_PER_WORD; k++) packed |= codes[starts[k] + column] << (4 * k);
    out[at + column * step] = packed;
  }
}

/** The same, four columns at a time: bytes of two rows' codes each, then one byte of every pair for each column. */
function packFours(
  fours: Uint32Array,
  starts: readonly number[],
  columns: number,
  out: Uint32Array,
  at: number,
  step: number,
): void {
  const [r0, r1, r2, r3, r4, r5, r6, r7] = starts.map((start) => start / 4);
  let place = at;
  for (let i = 0; i < columns / 4; i++) {
    const a = fours[r0 + i] | (fours[r1 + i] << 4);
    const b = fours[r2 + i] | (fours[r3 + i] << 4);
    const c = fours[r4 + i] | (fours[r5 + i] << 4);
    const d = fours[r6 + i] | (fours[r7 + i] << 4);
    for (let shift = 0; shift < 32; shift += 8, place += step) {
      out[place] =
        ((a >>> shift) & 0xff) |
        (((b >>> shift) & 0xff) << 8) |
        (((c >>> shift) & 0xff) << 16) |
        ((d >>> shift) << 24);
    }
  }
}
