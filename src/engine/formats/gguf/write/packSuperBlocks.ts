import type { Packed } from "#engine/quantize/quantize.ts";
import { ggmlType } from "../layout/ggmlTypes.ts";

/** Types whose runs have scales of their own, and IQ4_NL, whose codes stand for the same values as IQ4_XS's. */
export type SuperBlockType = "Q2_K" | "Q3_K" | "Q4_K" | "Q5_K" | "Q6_K" | "IQ4_NL" | "IQ4_XS";

type Constants = Extract<Packed["constants"], { kind: "super-blocks" }>;

/** What one block is packed from. */
interface Block {
  readonly codes: Uint8Array;
  readonly scales: Int8Array;
  readonly minimums: Uint8Array;
  /** f16 bytes. */
  readonly d: Uint8Array;
  readonly dmin: Uint8Array;
}

/** Fills the bytes of one block, all 0 before; the layouts are read in `read/blocks/unpackK.ts` and `unpackTable.ts`. */
type Pack = (block: Block, out: Uint8Array) => void;

const PACK: Readonly<Record<SuperBlockType, Pack>> = {
  Q2_K: packTwoBits,
  Q3_K: packThreeBits,
  Q4_K: (block, out) => packScaled(block, out, 16),
  Q5_K: packFiveBits,
  Q6_K: packSixBits,
  IQ4_NL: packTable,
  IQ4_XS: packTableOfRuns,
};

/** Whether a type's blocks are packed here. */
export function isSuperBlock(type: string): type is SuperBlockType {
  return Object.hasOwn(PACK, type);
}

/** The blocks of a tensor, row after row. */
export function packSuperBlocks(type: SuperBlockType, codes: Uint8Array, constants: Constants): Uint8Array {
  const { weights, bytes } = ggmlType(type);
  const blocks = codes.length / weights;
  const out = new Uint8Array(blocks * bytes);
  const [d, dmin] = [bytesOf(constants.d), bytesOf(constants.dmin)];
  const runs = constants.scales.length / blocks;
  for (let i = 0; i < blocks; i++) {
    const block: Block = {
      codes: codes.subarray(i * weights, (i + 1) * weights),
      scales: constants.scales.subarray(i * runs, (i + 1) * runs),
      minimums: constants.minimums.subarray(i * runs, (i + 1) * runs),
      d: d.subarray(2 * i, 2 * i + 2),
      dmin: dmin.subarray(2 * i, 2 * i + 2),
    };
    PACK[type](block, out.subarray(i * bytes, (i + 1) * bytes));
  }
  return out;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Lower two bits: two halves of 128 weights, four runs of 32 each; run r of a half is bits 2r and 2r + 1 of the half's 32 bytes. */
function packLowerTwo(codes: Uint8Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < codes.length; i++)
    out[at + 32 * (i >> 7) + (i & 31)] |= (codes[i] & 3) << (2 * ((i >> 5) & 3));
}

function packTwoBits({ codes, scales, minimums, d, dmin }: Block, out: Uint8Array): void {
  for (let k = 0; k < 16; k++) out[k] = scales[k] | (minimums[k] << 4);
  packLowerTwo(codes, out, 16);
  out.set(d, 80);
  out.set(dmin, 82);
}

function packThreeBits({ codes, scales, d }: Block, out: Uint8Array): void {
  for (let i = 0; i < codes.length; i++) out[i & 31] |= (codes[i] >> 2) << (i >> 5);
  packLowerTwo(codes, out, 32);
  for (let k = 0; k < 16; k++) {
    const scale = scales[k] + 32;
    out[96 + (k & 7)] |= (scale & 15) << (k < 8 ? 0 : 4);
    out[104 + (k & 3)] |= (scale >> 4) << (2 * (k >> 2));
  }
  out.set(d, 108);
}

/** Q4_K, and Q5_K but for its fifth bits: 6-bit scales and minimums of eight runs, the lower four bits of the codes. */
function packScaled({ codes, scales, minimums, d, dmin }: Block, out: Uint8Array, at: number): void {
  out.set(d, 0);
  out.set(dmin, 2);
  for (let k = 0; k < 4; k++) {
    out[4 + k] = scales[k] | ((scales[k + 4] >> 4) << 6);
    out[8 + k] = minimums[k] | ((minimums[k + 4] >> 4) << 6);
    out[12 + k] = (scales[k + 4] & 15) | ((minimums[k + 4] & 15) << 4);
  }
  for (let i = 0; i < codes.length; i++)
    out[at + 32 * (i >> 6) + (i & 31)] |= (codes[i] & 15) << (4 * ((i >> 5) & 1));
}

function packFiveBits(block: Block, out: Uint8Array): void {
  packScaled(block, out, 48);
  block.codes.forEach((code, i) => (out[16 + (i & 31)] |= (code >> 4) << (i >> 5)));
}

function packSixBits({ codes, scales, d }: Block, out: Uint8Array): void {
  for (let i = 0; i < codes.length; i++) {
    const half = i >> 7;
    const run = (i >> 5) & 3;
    const j = i & 31;
    out[64 * half + 32 * (run & 1) + j] |= (codes[i] & 15) << (run < 2 ? 0 : 4);
    out[128 + 32 * half + j] |= (codes[i] >> 4) << (2 * run);
  }
  out.set(new Uint8Array(scales.buffer, scales.byteOffset, scales.length), 192);
  out.set(d, 208);
}

function packTable({ codes, d }: Block, out: Uint8Array): void {
  out.set(d, 0);
  packNibbles(codes, out, 2);
}

function packTableOfRuns({ codes, scales, d }: Block, out: Uint8Array): void {
  out.set(d, 0);
  for (let k = 0; k < 8; k++) {
    const scale = scales[k] + 32;
    out[2 + (k >> 2)] |= (scale >> 4) << (2 * (k & 3));
    out[4 + (k >> 1)] |= (scale & 15) << (4 * (k & 1));
  }
  packNibbles(codes, out, 8);
}

/** Runs of 32: byte j is weight j below and weight j + 16 above. */
function packNibbles(codes: Uint8Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < codes.length; i++)
    out[at + 16 * (i >> 5) + (i & 15)] |= codes[i] << (4 * ((i >> 4) & 1));
}
