import { ggmlType } from "#engine/checkpoint/gguf/ggmlTypes.ts";
import type { Packed } from "#engine/quantize/quantize.ts";

/** Weights of one block. */
const BLOCK = 32;

/** The ggml types that packed codes become. */
export type PackedType = "Q4_0" | "Q4_1" | "Q5_0" | "Q5_1" | "Q8_0";

/** One scale per 32 weights of a row and codes 0 … 2^b − 1: exactly what ggml's blocks hold. */
export function packBlocks(type: PackedType, { codes, constants }: Packed): Uint8Array {
  if (constants.kind !== "integer" && constants.kind !== "affine")
    throw new RangeError(`${type} has no place for constants of the kind ${constants.kind}`);
  const { bytes: size } = ggmlType(type);
  const blocks = codes.length / BLOCK;
  const out = new Uint8Array(blocks * size);
  const scales = patterns(constants.scale);
  const lows = constants.kind === "affine" ? patterns(constants.low) : null;
  const pack = type === "Q8_0" ? packBytes : type.startsWith("Q5") ? packFiveBits : packNibbles;
  for (let block = 0, at = 0; block < blocks; block++, at += size) {
    let place = putU16(out, at, scales[block]);
    if (lows) place = putU16(out, place, lows[block]);
    pack(codes, block * BLOCK, out, place);
  }
  return out;
}

/** Bits of f16 values. */
function patterns(values: ArrayLike<number>): Uint16Array {
  return new Uint16Array(new Float16Array(values).buffer);
}

function putU16(out: Uint8Array, at: number, value: number): number {
  out[at] = value;
  out[at + 1] = value >> 8;
  return at + 2;
}

/** Byte j: weight j below, weight j + 16 above. */
function packNibbles(codes: Uint8Array, from: number, out: Uint8Array, at: number): void {
  for (let j = 0; j < 16; j++) out[at + j] = (codes[from + j] & 15) | (codes[from + j + 16] << 4);
}

/** The fifth bits of all 32 weights in front, bit j for weight j. */
function packFiveBits(codes: Uint8Array, from: number, out: Uint8Array, at: number): void {
  let high = 0;
  for (let j = 0; j < BLOCK; j++) high |= ((codes[from + j] >> 4) & 1) << j;
  putU16(out, putU16(out, at, high), high >>> 16);
  packNibbles(codes, from, out, at + 4);
}

/** Signed bytes; codes count from −128. */
function packBytes(codes: Uint8Array, from: number, out: Uint8Array, at: number): void {
  for (let j = 0; j < BLOCK; j++) out[at + j] = codes[from + j] - 128;
}
