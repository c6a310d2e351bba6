import type { Convention, LayerError, Scores, TensorError } from "#shared/evaluation.ts";
import type { KeystoneErrorData } from "#shared/errors.ts";
import type { Progress } from "#shared/job.ts";
import type { ActivationPlan } from "#engine/recipe/activationPlan.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Forward } from "#engine/forward/forward.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** A run of tokens the model sees at once, and which of its predictions count. */
export interface TokenWindow {
  /** Index of the document it comes from. */
  readonly document: number;
  /** Ids fed to the model. */
  readonly ids: Int32Array;
  /** labels[i] = the token that position i must predict, or −1 where the prediction does not count. */
  readonly labels: Int32Array;
  /** Leading ids that are not text (BOS or a prefix token). */
  readonly lead: number;
  /** Where the window branches: index of the id before each, −1 at the beginning. Absent where it is the one to its left. */
  readonly parents?: Int32Array;
}

/** A text cut into windows under one convention. */
export interface WindowSet {
  readonly windows: readonly TokenWindow[];
  /** Labels that count, over all windows. */
  readonly scored: number;
  /** Tokens of the texts that were begun, scored or not. */
  readonly textTokens: number;
  /** Words (runs between white space) and UTF-8 bytes of those texts. */
  readonly words: number;
  readonly bytes: number;
  /** The ids of each of those texts, whatever part of them windows hold: what two tokenizers are compared by. */
  readonly texts: readonly (readonly number[])[];
  /** What leads windows or texts; null = nothing does. */
  readonly prefix: number | null;
  readonly convention: Convention;
}

/** One weight multiplied before anything else happens to it: 0 prunes it. */
export interface WeightEdit {
  /** Index into the row-major tensor. */
  readonly index: number;
  readonly factor: number;
}

/** A checkpoint seen through changed weights and activations. Tensors that are named nowhere are used as they are. */
export interface Variant {
  readonly id: string;
  /** Quantized tensors, by name. */
  readonly plans: ReadonlyMap<string, TensorPlan>;
  /** Edited tensors, by name; edits come before quantization. */
  readonly edits?: ReadonlyMap<string, readonly WeightEdit[]>;
  /** down_proj outputs whose largest value of channel `row` is put back as the original has it. */
  readonly keepSuperActivation?: readonly { readonly layer: number; readonly row: number }[];
  /** How every layer's inputs are quantized, and what is smoothed before the weights are. */
  readonly activations?: ActivationPlan;
}

/** Asked between batches: throws `cancelledError()`, or waits while the job is paused. */
export interface Control {
  check(): void | Promise<void>;
}

/** What every pass through a model needs. */
export interface Engine {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly forward: Forward;
}

export interface Watch {
  readonly control?: Control | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called when a layer is done for every variant of the wave. */
  readonly onLayer?: ((layer: number) => void) | undefined;
}

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
