import { f16At } from "../../layout/f16At.ts";

/** Bytes and weights of a block. */
const SIZES = { TQ1_0: [54, 256], TQ2_0: [66, 256], Q1_0: [18, 128], Q2_0: [18, 64] } as const;
/** What moves a digit of base 3 to the front of its byte. */
const POWERS_OF_THREE = [1, 3, 9, 27, 81] as const;

/** Blocks of one scale and codes of one or two bits: −1, 0, 1 (and 2), or a sign alone. */
export function unpackFewBits(type: keyof typeof SIZES, bytes: Uint8Array, out: Float32Array): void {
  const [size, weights] = SIZES[type];
  for (let at = 0, to = 0; at < bytes.length; at += size, to += weights) {
    const block = bytes.subarray(at, at + size);
    const into = out.subarray(to, to + weights);
    if (type === "TQ1_0") digits(block, into);
    else if (type === "TQ2_0") runs(block, into);
    else neighbours(block, into, type === "Q1_0" ? 1 : 2);
  }
}

/** TQ1_0: 32 bytes of five digits, 16 bytes of five, 4 bytes of four; digit n of all bytes of a part comes before digit n + 1 of any. */
function digits(block: Uint8Array, out: Float32Array): void {
  const scale = f16At(block, 52);
  let to = 0;
  for (const [from, count, each] of [
    [0, 32, 5],
    [32, 16, 5],
    [48, 4, 4],
  ] as const)
    for (let n = 0; n < each; n++)
      for (let j = from; j < from + count; j++) {
        const moved = (block[j] * POWERS_OF_THREE[n]) & 255;
        out[to++] = (((moved * 3) >> 8) - 1) * scale;
      }
}

/** TQ2_0: two halves of 128 weights, four runs of 32 each; run r of a half is bits 2r and 2r + 1 of the half's 32 bytes. */
function runs(block: Uint8Array, out: Float32Array): void {
  const scale = f16At(block, 64);
  for (let i = 0; i < 256; i++) {
    const code = (block[32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
    out[i] = (code - 1) * scale;
  }
}

/** Q1_0 and Q2_0: codes side by side from the lowest bit on; one bit is a sign, two are code − 1. */
function neighbours(block: Uint8Array, out: Float32Array, bits: 1 | 2): void {
  const scale = f16At(block, 0);
  const each = 8 / bits;
  for (let i = 0; i < out.length; i++) {
    const code = (block[2 + Math.floor(i / each)] >> (bits * (i % each))) & (2 ** bits - 1);
    out[i] = (bits === 1 ? 2 * code - 1 : code - 1) * scale;
  }
}
