import { f16At } from "../../layout/f16At.ts";
import { ggmlType } from "../../layout/ggmlTypes.ts";
import { unpackFewBits } from "./unpackFewBits.ts";
import { unpackK } from "./unpackK.ts";
import { unpackTable } from "./unpackTable.ts";

const { fround } = Math;

/**
 * The weights of packed blocks in f32, with the arithmetic of ggml's reference dequantizer: products and sums of f32
 * constants, rounded one by one.
 * @param bytes whole blocks of one type, from any offset
 * @param out exactly as many weights as the blocks hold; must not overlap `bytes`
 */
export function unpackBlocks(type: string, bytes: Uint8Array, out: Float32Array): void {
  const { weights, bytes: size } = ggmlType(type);
  if (bytes.byteLength * weights !== out.length * size)
    throw new RangeError(`${bytes.byteLength} bytes of ${type} are not ${out.length} weights`);
  switch (type) {
    case "Q4_0":
      return nibbles(bytes, out, { bytes: size, codes: 2, high: null, low: null, zeroPoint: 8 });
    case "Q4_1":
      return nibbles(bytes, out, { bytes: size, codes: 4, high: null, low: 2, zeroPoint: 0 });
    case "Q5_0":
      return nibbles(bytes, out, { bytes: size, codes: 6, high: 2, low: null, zeroPoint: 16 });
    case "Q5_1":
      return nibbles(bytes, out, { bytes: size, codes: 8, high: 4, low: 2, zeroPoint: 0 });
    case "Q8_0":
      return signedBytes(bytes, out);
    case "Q2_K":
    case "Q3_K":
    case "Q4_K":
    case "Q5_K":
    case "Q6_K":
    case "Q8_K":
      return unpackK(type, bytes, out);
    case "IQ4_NL":
    case "IQ4_XS":
    case "MXFP4":
    case "NVFP4":
      return unpackTable(type, bytes, out);
    case "TQ1_0":
    case "TQ2_0":
    case "Q1_0":
    case "Q2_0":
      return unpackFewBits(type, bytes, out);
    default:
      throw new RangeError(`blocks of ${type} are not unpacked`);
  }
}

/** Where the parts of a block of 32 weights lie; the scale is always in front. */
interface NibbleLayout {
  readonly bytes: number;
  /** First of 16 bytes: byte j holds weight j below and weight j + 16 above. */
  readonly codes: number;
  /** First of 4 bytes that hold each weight's fifth bit; null = there is none. */
  readonly high: number | null;
  /** The f16 that is added; null = there is none. */
  readonly low: number | null;
  readonly zeroPoint: number;
}

function nibbles(bytes: Uint8Array, out: Float32Array, layout: NibbleLayout): void {
  const { zeroPoint } = layout;
  for (let at = 0, to = 0; at < bytes.length; at += layout.bytes, to += 32) {
    const scale = f16At(bytes, at);
    const low = layout.low === null ? 0 : f16At(bytes, at + layout.low);
    const high = layout.high === null ? 0 : u32At(bytes, at + layout.high);
    const codes = at + layout.codes;
    for (let j = 0; j < 16; j++) {
      const byte = bytes[codes + j];
      const first = (byte & 15) | (((high >>> j) & 1) << 4);
      const second = (byte >> 4) | (((high >>> (j + 16)) & 1) << 4);
      out[to + j] = fround((first - zeroPoint) * scale);
      out[to + j + 16] = fround((second - zeroPoint) * scale);
    }
    if (layout.low !== null) for (let j = to; j < to + 32; j++) out[j] = out[j] + low;
  }
}

function signedBytes(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 34, to += 32) {
    const scale = f16At(bytes, at);
    for (let j = 0; j < 32; j++) out[to + j] = ((bytes[at + 2 + j] << 24) >> 24) * scale;
  }
}

function u32At(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
