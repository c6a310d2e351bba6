/** What a super-block is made into; one object serves all blocks of a tensor. */
export interface FittedBlock {
  /** Values of f16. */
  d: number;
  dmin: number;
  /** Of each run: the integer that d is multiplied by, and that of dmin. */
  readonly scales: Int8Array;
  readonly minimums: Uint8Array;
  readonly codes: Uint8Array;
}

/**
 * How one of ggml's types lays a block out and how its codes are found. A block is `weights` weights in runs of `run`; with
 * d and dmin the block's, s and m the run's: ŵ = (d·s)·value[code] − dmin·m.
 */
export interface SuperBlockForm {
  readonly weights: number;
  readonly run: number;
  /** What each code stands for. */
  readonly values: Float32Array;
  /**
   * Finds constants and codes of x[from, from + weights).
   * @param importance of each weight of the block, beginning at `at`: what its squared error counts; null = all alike
   */
  fit(x: Float32Array, from: number, importance: Float32Array | null, at: number, out: FittedBlock): void;
}

/** Below this the largest |w| of a run counts as 0 (ggml's GROUP_MAX_EPS). */
export const LEAST_MAGNITUDE = Math.fround(1e-15);

/** Numbers `first`, `first + 1` … as what the codes 0, 1 … stand for. */
export function countingFrom(first: number, levels: number): Float32Array {
  return Float32Array.from({ length: levels }, (_, code) => first + code);
}
