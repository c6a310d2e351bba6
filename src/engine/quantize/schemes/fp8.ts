import { bitsOf } from "#engine/numeric/halfTypes.ts";
import {
  constantsAs,
  perBlock,
  ROUND,
  type PackedConstants,
  type Scheme,
  type SchemeImplementation,
  type SchemePlan,
} from "./scheme.ts";

const { fround } = Math;

/** Largest value of e4m3: exponent 8, mantissa 1.75. */
const LARGEST_E4M3 = 448;
/** Values below 2^-6 are multiples of 2^-9. */
const STEPS_BELOW = 2 ** 9;
const LEAST_NORMAL = 2 ** -6;

/**
 * float8_e4m3fn with an f32 scale per block [Micikevicius et al. 2022, arXiv:2209.05433; as PyTorch casts]:
 * scale = max|w|/448, 1 for a block of zeros; code = the byte of the nearest value to w/scale, ties to even; ŵ = value·scale. All in f32.
 */
export const fp8: SchemeImplementation = {
  create: (plan, blocks, packed) => new Fp8Scheme(plan, blocks, packed),
  kernels: null,
};

class Fp8Scheme implements Scheme {
  readonly levels = 256;
  readonly decodesByTable = true;
  private readonly scale: Float32Array;

  constructor(plan: SchemePlan, blocks: number, constants?: PackedConstants) {
    const packed = constantsAs("levels", plan, constants);
    this.scale = perBlock(packed?.scale, blocks);
  }

  fit(block: number, low: number, high: number): void {
    this.scale[block] = fround(Math.max(-low, high) / LARGEST_E4M3) || 1;
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const scale = this.scale[block];
    const shift = at - from;
    for (let i = from; i < to; i++) codes[i + shift] = byteOf(fround(source[i] / scale));
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround(E4M3_VALUES[codes[i]] * scale);
  }

  constants(): PackedConstants {
    return { kind: "levels", scale: this.scale };
  }
}

const single = new Float32Array(1);
const singleBits = bitsOf(single);

/** The byte of the nearest value of the type; what is larger than all of them becomes the largest. */
function byteOf(x: number): number {
  single[0] = Math.min(Math.abs(x), LARGEST_E4M3);
  const [magnitude] = single;
  const sign = x < 0 || Object.is(x, -0) ? 128 : 0;
  if (magnitude < LEAST_NORMAL) return sign + rounded(magnitude * STEPS_BELOW);
  const exponent = (singleBits[0] >> 23) - 127;
  // eight steps an octave; a mantissa that rounds up to the next octave is its first step
  return sign + (exponent + 7) * 8 + rounded(magnitude * 2 ** (3 - exponent)) - 8;
}

function rounded(x: number): number {
  return fround(fround(x) + ROUND) - ROUND;
}

/** The value of each byte; 127 and 255 are no numbers. */
export const E4M3_VALUES = Float32Array.from({ length: 256 }, (_, byte) => {
  const sign = byte < 128 ? 1 : -1;
  const [exponent, mantissa] = [(byte >> 3) & 15, byte & 7];
  if ((byte & 127) === 127) return NaN;
  return sign * (exponent === 0 ? mantissa / STEPS_BELOW : (1 + mantissa / 8) * 2 ** (exponent - 7));
});
