import { f16At } from "../../layout/f16At.ts";

const { fround } = Math;

/** Weights of one super-block; every type here has the same number. */
const SUPER_BLOCK = 256;

type Unpack = (block: Uint8Array, out: Float32Array, to: number) => void;

/** Bytes of a super-block (`ggmlTypes.ts` says what they are), and what they become. */
const TYPES = {
  Q2_K: { bytes: 84, unpack: unpackTwoBits },
  Q3_K: { bytes: 110, unpack: unpackThreeBits },
  Q4_K: { bytes: 144, unpack: unpackFourBits },
  Q5_K: { bytes: 176, unpack: unpackFiveBits },
  Q6_K: { bytes: 210, unpack: unpackSixBits },
  Q8_K: { bytes: 292, unpack: unpackEightBits },
} as const satisfies Record<string, { bytes: number; unpack: Unpack }>;

/** Super-blocks of 256 weights whose scales are themselves quantized. */
export function unpackK(type: keyof typeof TYPES, bytes: Uint8Array, out: Float32Array): void {
  const { bytes: size, unpack } = TYPES[type];
  for (let at = 0, to = 0; at < bytes.length; at += size, to += SUPER_BLOCK)
    unpack(bytes.subarray(at, at + size), out, to);
}

/**
 * Where the lower two bits of a weight lie in Q2_K and Q3_K: two halves of 128 weights, four runs of 32 each; run r of a half is
 * bits 2r and 2r + 1 of the half's 32 bytes.
 */
function twoBits(block: Uint8Array, codes: number, i: number): number {
  return (block[codes + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
}

/** Q2_K: a scale and a minimum of four bits for every 16 weights: w = (d·s)·q − (dmin·m). */
function unpackTwoBits(block: Uint8Array, out: Float32Array, to: number): void {
  const [d, dmin] = [f16At(block, 80), f16At(block, 82)];
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const scales = block[i >> 4];
    const scale = fround(d * (scales & 15));
    out[to + i] = fround(scale * twoBits(block, 16, i)) - fround(dmin * (scales >> 4));
  }
}

/** Q3_K: a six-bit scale for every 16 weights; a weight whose third bit is missing is 4 less: w = (d·(s − 32))·q. */
function unpackThreeBits(block: Uint8Array, out: Float32Array, to: number): void {
  const d = f16At(block, 108);
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const third = (block[i & 31] >> (i >> 5)) & 1;
    const scale = fround(d * (sixteenScale(block, i >> 4) - 32));
    out[to + i] = scale * (twoBits(block, 32, i) - (third === 0 ? 4 : 0));
  }
}

/** One of Q3_K's 16 scales: the 12 bytes at 96 hold the lower four bits of all in 8, then the upper two of four in each. */
function sixteenScale(block: Uint8Array, index: number): number {
  const lower = (block[96 + (index & 7)] >> (index < 8 ? 0 : 4)) & 15;
  return lower | (((block[104 + (index & 3)] >> (2 * (index >> 2))) & 3) << 4);
}

function unpackFourBits(block: Uint8Array, out: Float32Array, to: number): void {
  unpackScaled(block, out, to, 16, () => 0);
}

function unpackFiveBits(block: Uint8Array, out: Float32Array, to: number): void {
  unpackScaled(block, out, to, 48, (run, j) => ((block[16 + j] >> run) & 1) << 4);
}

/**
 * Q4_K and Q5_K: eight runs of 32 weights, w = (d·s)·q − (dmin·m). Runs 2k and 2k + 1 are the lower and upper nibbles of the
 * same 32 bytes; the fifth bit of run k is bit k of its byte.
 */
function unpackScaled(
  block: Uint8Array,
  out: Float32Array,
  to: number,
  codes: number,
  fifth: (run: number, j: number) => number,
): void {
  const [d, dmin] = [f16At(block, 0), f16At(block, 2)];
  for (let run = 0; run < 8; run++) {
    const [s, m] = scaleAndMinimum(block, run);
    const scale = fround(d * s);
    const minimum = fround(dmin * m);
    const from = codes + 32 * (run >> 1);
    const shift = run % 2 === 0 ? 0 : 4;
    for (let j = 0; j < 32; j++) {
      const code = ((block[from + j] >> shift) & 15) | fifth(run, j);
      out[to + 32 * run + j] = fround(scale * code) - minimum;
    }
  }
}

/** Scale and minimum of a run, six bits each: the 12 bytes at 4 hold four of each, then the rest in split pieces. */
function scaleAndMinimum(block: Uint8Array, run: number): [number, number] {
  if (run < 4) return [block[4 + run] & 63, block[8 + run] & 63];
  const rest = block[8 + run];
  return [(rest & 15) | ((block[run] >> 6) << 4), (rest >> 4) | ((block[4 + run] >> 6) << 4)];
}

/** Q6_K: two halves of 128 weights, four runs of 32 each; a scale for every 16 weights; w = (d·s)·(q − 32). */
function unpackSixBits(block: Uint8Array, out: Float32Array, to: number): void {
  const d = f16At(block, 208);
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const half = i >> 7;
    const run = (i >> 5) & 3;
    const j = i & 31;
    const nibbles = block[64 * half + 32 * (run & 1) + j];
    const lower = run < 2 ? nibbles & 15 : nibbles >> 4;
    const upper = (block[128 + 32 * half + j] >> (2 * run)) & 3;
    out[to + i] = fround(d * signed(block[192 + (i >> 4)])) * ((lower | (upper << 4)) - 32);
  }
}

/** Q8_K: ggml's own form of activations; w = d·q with an f32 scale. */
function unpackEightBits(block: Uint8Array, out: Float32Array, to: number): void {
  const d = new DataView(block.buffer, block.byteOffset).getFloat32(0, true);
  for (let i = 0; i < SUPER_BLOCK; i++) out[to + i] = d * signed(block[4 + i]);
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}
