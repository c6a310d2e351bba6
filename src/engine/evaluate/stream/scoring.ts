import type { KeystoneErrorData } from "#shared/errors.ts";
import type { LayerError, Scores, TensorError } from "#shared/evaluation.ts";

/** The original's side of every comparison, computed once for a sweep. */
export interface OriginalReference {
  /** Final hidden states of the scored positions, in window order: (scored, hidden), in shared memory. */
  readonly hidden: Float32Array;
  /** Nats per scored token, in window order. */
  readonly nll: Float32Array;
  readonly scores: Scores;
  /** Hidden states behind every layer, for layer errors; absent where they were not asked for. */
  readonly trajectory?: Trajectory;
}

/**
 * The original's hidden states behind each layer, in shared memory: [layer][batch], each (batch, sequence, hidden).
 * Only the first batches (the longest windows) that fit the budget are kept, the same in every layer.
 */
export type Trajectory = readonly (readonly Float32Array[])[];

/** What a wave found out about one variant; `error` in place of scores where its weights could not be made. */
export interface VariantScore {
  readonly id: string;
  readonly scores: Scores | null;
  readonly tensors: readonly TensorError[];
  /** 10·log10(Σw² / Σ(w − ŵ)²) over the quantized tensors; null where nothing differs. */
  readonly sqnrDb: number | null;
  readonly layers: readonly LayerError[];
  /** Per scored token, in window order; only where it was asked for. */
  readonly perToken?: { readonly nll: Float32Array; readonly kl: Float32Array };
  /** Time spent on this variant alone. */
  readonly seconds: number;
  readonly error?: KeystoneErrorData;
}
