import { f16At } from "../../layout/f16At.ts";

const { fround } = Math;

/** The 16 values of IQ4_NL and IQ4_XS: a grid that is finer around zero [ggml's block definitions]. */
const FINE_GRID = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/** Twice the 16 values of a 4-bit float, E2M1 [OCP Microscaling Formats 1.0, 5.3.3]; scales are halved for it. ggml has no −0 here. */
const E2M1_TWICE = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/** Blocks whose codes are places in a table of 16 values, a scale before them. */
export function unpackTable(
  type: "IQ4_NL" | "IQ4_XS" | "MXFP4" | "NVFP4",
  bytes: Uint8Array,
  out: Float32Array,
): void {
  switch (type) {
    case "IQ4_NL":
      for (let at = 0, to = 0; at < bytes.length; at += 18, to += 32)
        nibbles(bytes, at + 2, 16, FINE_GRID, f16At(bytes, at), out, to);
      return;
    case "IQ4_XS":
      for (let at = 0, to = 0; at < bytes.length; at += 136, to += 256) unpackRuns(bytes, at, out, to);
      return;
    case "MXFP4":
      for (let at = 0, to = 0; at < bytes.length; at += 17, to += 32)
        nibbles(bytes, at + 1, 16, E2M1_TWICE, 2 ** (bytes[at] - 128), out, to);
      return;
    case "NVFP4":
      for (let at = 0, to = 0; at < bytes.length; at += 36, to += 64)
        for (let part = 0; part < 4; part++)
          nibbles(bytes, at + 4 + 8 * part, 8, E2M1_TWICE, halfE4M3(bytes[at + part]), out, to + 16 * part);
  }
}

/** IQ4_XS: eight runs of 32 weights; a run's six-bit scale has its lower four bits in a nibble, its upper two in a shared word. */
function unpackRuns(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const upper = bytes[at + 2] | (bytes[at + 3] << 8);
  for (let run = 0; run < 8; run++) {
    const lower = (bytes[at + 4 + (run >> 1)] >> (4 * (run & 1))) & 15;
    const scale = lower | (((upper >> (2 * run)) & 3) << 4);
    nibbles(bytes, at + 8 + 16 * run, 16, FINE_GRID, fround(d * (scale - 32)), out, to + 32 * run);
  }
}

/** `count` bytes: the lower nibbles are the first weights, the upper ones those behind them. */
function nibbles(
  bytes: Uint8Array,
  from: number,
  count: number,
  table: readonly number[],
  scale: number,
  out: Float32Array,
  to: number,
): void {
  for (let j = 0; j < count; j++) {
    const byte = bytes[from + j];
    out[to + j] = scale * table[byte & 15];
    out[to + count + j] = scale * table[byte >> 4];
  }
}

/** Half of an 8-bit float E4M3 without a sign; the pattern of no number is 0, as in ggml. */
function halfE4M3(byte: number): number {
  const [exponent, mantissa] = [(byte >> 3) & 15, byte & 7];
  if (byte === 0x7f) return 0;
  return exponent === 0 ? mantissa * 2 ** -10 : (1 + mantissa / 8) * 2 ** (exponent - 8);
}
