import type { GgmlBlock } from "#shared/schemes/descriptor.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import { ggmlType } from "../layout/ggmlTypes.ts";
import { isSuperBlock, packSuperBlocks } from "./packSuperBlocks.ts";
import type { Packed } from "#engine/quantize/quantize.ts";

/** Weights of one block. */
const BLOCK = 32;

/** The ggml types that packed codes become. */
export type PackedType = GgmlBlock;

/** What ggml's blocks hold exactly: one scale per 32 weights of a row and codes 0 … 2^b − 1, or super-blocks. */
export function packBlocks(type: PackedType, { codes, constants }: Packed): Uint8Array {
  if (constants.kind === "super-blocks" && isSuperBlock(type)) return packSuperBlocks(type, codes, constants);
  if (constants.kind !== "integer" && constants.kind !== "affine")
    throw new RangeError(`${type} cannot store constants of the kind ${constants.kind}`);
  const size = ggmlType(type).bytes / 2;
  const blocks = codes.length / BLOCK;
  // every block is a whole number of 16-bit words
  const out = new Uint16Array(blocks * size);
  const words = wordsOf(codes);
  const scales = patterns(constants.scale);
  const lows = constants.kind === "affine" ? patterns(constants.low) : null;
  const pack = type === "Q8_0" ? packBytes : type.startsWith("Q5") ? packFiveBits : packNibbles;
  for (let block = 0, at = 0; block < blocks; block++, at += size) {
    let place = at;
    out[place++] = scales[block];
    if (lows) out[place++] = lows[block];
    pack(words, (block * BLOCK) / 2, out, place);
  }
  return new Uint8Array(out.buffer);
}

/** Two codes a word; copied where they begin at an odd byte. */
function wordsOf(codes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = codes.byteOffset % 2 === 0 ? codes : codes.slice();
  return new Uint16Array(buffer, byteOffset, length / 2);
}

/** Bits of f16 values. */
function patterns(values: Float32Array | Float16Array): Uint16Array {
  if (values instanceof Float16Array) return new Uint16Array(values.buffer, values.byteOffset, values.length);
  return new Uint16Array(narrow(values, "F16").buffer);
}

/** Byte j: weight j below, weight j + 16 above; two of them at once. */
function packNibbles(codes: Uint16Array, from: number, out: Uint16Array, at: number): void {
  for (let j = 0; j < 8; j++)
    out[at + j] = (codes[from + j] & 0x0f0f) | ((codes[from + j + 8] & 0x0f0f) << 4);
}

/** The fifth bits of all 32 weights in front, bit j for weight j. */
function packFiveBits(codes: Uint16Array, from: number, out: Uint16Array, at: number): void {
  let high = 0;
  for (let j = 0; j < BLOCK / 2; j++) {
    const two = codes[from + j];
    high |= (((two >> 4) & 1) | ((two >> 11) & 2)) << (2 * j);
  }
  out[at] = high;
  out[at + 1] = high >>> 16;
  packNibbles(codes, from, out, at + 2);
}

/** Signed bytes; codes count from −128, which is their highest bit turned over. */
function packBytes(codes: Uint16Array, from: number, out: Uint16Array, at: number): void {
  for (let j = 0; j < BLOCK / 2; j++) out[at + j] = codes[from + j] ^ 0x8080;
}
