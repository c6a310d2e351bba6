import { assertScaleFits } from "./overflow.ts";
import { constantsMismatch, ROUND, type Codec, type CodecPlan, type PackedConstants } from "./codec.ts";
import { F16_TINY, toF16 } from "./storage.ts";

const { fround } = Math;

/**
 * Integer codes with an f16 scale and an integer zero point, as packed INT4 formats store them.
 * Asymmetric: the range is widened to hold 0; scale = f16((hi − lo)/(2^b − 1)), zero = clamp(round(−lo/scale)).
 * Symmetric: scale = f16(max|w|/(2^(b−1) − 1)), zero = 2^(b−1), levels −(2^(b−1) − 1) … 2^(b−1) − 1.
 * Both: code = clamp(round(w/scale) + zero), ŵ = (code − zero)·scale.
 */
export function intCodec(plan: CodecPlan, blocks: number, packed?: PackedConstants): Codec {
  return new IntCodec(plan, blocks, packed);
}

class IntCodec implements Codec {
  readonly levels: number;
  private readonly tensor: string;
  private readonly symmetric: boolean;
  private readonly smallest: number;
  /** f16 values, held as f32 because reading an f16 array is slow. */
  private readonly scale: Float32Array;
  private readonly zero: Uint8Array;

  constructor(plan: CodecPlan, blocks: number, packed?: PackedConstants) {
    if (packed && packed.kind !== "integer") throw constantsMismatch("int");
    this.levels = 2 ** plan.bits;
    this.tensor = plan.name;
    this.symmetric = plan.symmetric;
    this.smallest = plan.symmetric ? 1 : 0;
    this.scale = packed ? new Float32Array(packed.scale) : new Float32Array(blocks);
    this.zero = packed?.zero ?? new Uint8Array(blocks).fill(2 ** (plan.bits - 1));
  }

  fit(block: number, low: number, high: number): void {
    const largest = this.levels - 1;
    const steps = this.symmetric ? this.levels / 2 - 1 : largest;
    const bottom = Math.min(low, 0);
    const range = this.symmetric ? Math.max(-low, high) : fround(Math.max(high, 0) - bottom);
    const scale = toF16(fround(range / steps)) || F16_TINY;
    assertScaleFits(scale, this.tensor, block);
    this.scale[block] = scale;
    if (this.symmetric) return;
    const zero = fround(fround(fround(-bottom / scale) + ROUND) - ROUND);
    this.zero[block] = Math.min(Math.max(zero, 0), largest);
  }

  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void {
    const scale = this.scale[block];
    const smallest = this.smallest;
    const largest = this.levels - 1;
    const shift = at - from;
    // Rounding and adding the zero point in one step: ROUND − zero is taken off again as an integer.
    const offset = this.zero[block] - ROUND;
    for (let i = from; i < to; i++) {
      const code = (fround(fround(source[i] / scale) + ROUND) + offset) | 0;
      codes[i + shift] = code < smallest ? smallest : code > largest ? largest : code;
    }
  }

  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void {
    const scale = this.scale[block];
    const zero = this.zero[block];
    const shift = at - from;
    for (let i = from; i < to; i++) out[i + shift] = fround(fround(codes[i] - zero) * scale);
  }

  constants(): PackedConstants {
    return { kind: "integer", scale: new Float16Array(this.scale), zero: this.zero };
  }
}
