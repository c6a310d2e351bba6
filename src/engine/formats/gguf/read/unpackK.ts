import { F16_VALUES } from "#engine/numeric/widen.ts";

const { fround } = Math;

/** Weights of one super-block; every type here has the same number. */
const SUPER_BLOCK = 256;
/** Bytes of a super-block: `ggmlTypes.ts` says what they are. */
const BYTES = { Q4_K: 144, Q5_K: 176, Q6_K: 210 };

/** Super-blocks of 256 weights whose scales are themselves quantized: read here, never written. */
export function unpackK(type: keyof typeof BYTES, bytes: Uint8Array, out: Float32Array): void {
  const unpack = type === "Q6_K" ? unpackSixBits : unpackScaled;
  const size = BYTES[type];
  for (let at = 0, to = 0; at < bytes.length; at += size, to += SUPER_BLOCK)
    unpack(bytes.subarray(at, at + size), out, to, type === "Q5_K");
}

/**
 * Q4_K and Q5_K: eight runs of 32 weights, w = (d·s)·q − (dmin·m). Runs 2k and 2k + 1 are the lower and upper nibbles of the
 * same 32 bytes; the fifth bit of run k is bit k of its byte.
 */
function unpackScaled(block: Uint8Array, out: Float32Array, to: number, fifthBits: boolean): void {
  const d = f16(block, 0);
  const dmin = f16(block, 2);
  const codes = fifthBits ? 48 : 16;
  for (let run = 0; run < 8; run++) {
    const [s, m] = scaleAndMinimum(block, run);
    const scale = fround(d * s);
    const minimum = fround(dmin * m);
    const from = codes + 32 * (run >> 1);
    const shift = run % 2 === 0 ? 0 : 4;
    for (let j = 0; j < 32; j++) {
      const fifth = fifthBits ? ((block[16 + j] >> run) & 1) << 4 : 0;
      const code = ((block[from + j] >> shift) & 15) | fifth;
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
  const d = f16(block, 208);
  for (let i = 0; i < SUPER_BLOCK; i++) {
    const half = i >> 7;
    const run = (i >> 5) & 3;
    const j = i & 31;
    const nibbles = block[64 * half + 32 * (run & 1) + j];
    const lower = run < 2 ? nibbles & 15 : nibbles >> 4;
    const upper = (block[128 + 32 * half + j] >> (2 * run)) & 3;
    const scale = (block[192 + (i >> 4)] << 24) >> 24;
    out[to + i] = fround(d * scale) * ((lower | (upper << 4)) - 32);
  }
}

function f16(block: Uint8Array, at: number): number {
  return F16_VALUES[block[at] | (block[at + 1] << 8)];
}
