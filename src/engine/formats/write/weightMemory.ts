/**
 * Memory that one tensor after another is worked on in: pages that are new to a process cost as much as quantizing what lies in
 * them. It grows to the largest tensor.
 */
export class WeightMemory {
  private readonly kept: Record<"original" | "judged", Float32Array> = {
    original: new Float32Array(0),
    judged: new Float32Array(0),
  };

  private keptCodes = new Uint8Array(0);

  /** Room for `count` weights; what was there is overwritten. */
  room(use: "original" | "judged", count: number): Float32Array {
    if (this.kept[use].length < count) {
      // the old memory may go before the new one comes
      this.kept[use] = new Float32Array(0);
      this.kept[use] = new Float32Array(count);
    }
    return this.kept[use].subarray(0, count);
  }

  /** Room for as many codes, a byte each. */
  codes(count: number): Uint8Array {
    if (this.keptCodes.length < count) this.keptCodes = new Uint8Array(count);
    return this.keptCodes.subarray(0, count);
  }
}
