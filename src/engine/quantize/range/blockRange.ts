import { bitsOf } from "#engine/numeric/halfTypes.ts";

/** Blocks up to this length take the branch-free scan: in longer ones a new extreme is too rare to cost anything. */
const SHORT_BLOCK = 1024;
/** Set in the pattern of every f32 of magnitude 2 or more, infinities and NaN included. */
const TWO_OR_MORE = 0x40000000;

/** Finds the smallest and the largest weight of blocks of one tensor; made once per tensor, nothing allocated per block. */
export class BlockRange {
  low = 0;
  high = 0;
  private readonly source: Float32Array;
  private readonly bits: Int32Array;
  private readonly ends = new Float32Array(2);
  private readonly endBits = bitsOf(this.ends);

  constructor(source: Float32Array) {
    this.source = source;
    this.bits = bitsOf(source);
  }

  /** Sets low and high to the extremes of source[from, to), which is not empty; of zeros, −0 is the smaller. */
  scan(from: number, to: number): void {
    if (to - from <= SHORT_BLOCK && this.scanShort(from, to)) return;
    const source = this.source;
    let low = source[from];
    let high = low;
    for (let i = from + 1; i < to; i++) {
      low = Math.min(low, source[i]);
      high = Math.max(high, source[i]);
    }
    this.low = low;
    this.high = high;
  }

  /**
   * The same without a branch that depends on the data: integer keys that order as the floats do, and min and max by sign
   * masks. Keys of magnitudes below 2 lie within ±2^30, so that their differences do not overflow.
   * @returns false where a weight is too large for that, with nothing set
   */
  private scanShort(from: number, to: number): boolean {
    const bits = this.bits;
    let low = orderedKey(bits[from]);
    let high = low;
    let seen = 0;
    for (let i = from; i < to; i++) {
      const pattern = bits[i];
      seen |= pattern;
      const key = orderedKey(pattern);
      const above = (key - high) | 0;
      high = (high + (above & ~(above >> 31))) | 0;
      const below = (key - low) | 0;
      low = (low + (below & (below >> 31))) | 0;
    }
    if (seen & TWO_OR_MORE) return false;
    this.endBits[0] = orderedKey(low);
    this.endBits[1] = orderedKey(high);
    this.low = this.ends[0];
    this.high = this.ends[1];
    return true;
  }
}

/** Maps f32 patterns to integers in the order of the floats; applied twice it gives the pattern back. */
function orderedKey(pattern: number): number {
  return pattern ^ ((pattern >> 31) & 0x7fffffff);
}
