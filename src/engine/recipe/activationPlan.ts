import type { InputQuantization } from "#engine/architecture/inputs/inputQuantization.ts";

/** max |x| of every channel, over all tokens seen: (hidden) each. */
export interface InputMaxima {
  /** Of the input of q, k and v. */
  readonly attention: Float32Array;
  /** Of the input of gate and up. */
  readonly mlp: Float32Array;
}

/** What the smoothing scales of one group of linears depend on, channel by channel: (hidden) each. */
export interface ChannelMaxima {
  /** max |X_j| over the tokens of the calibration text. */
  readonly inputs: Float32Array;
  /** max |W_j| over the rows of all linears of the group. */
  readonly weights: Float32Array;
}

/** A calibration pass's outcome, good for every α: [layer][group], groups as `Architecture.smoothGroups` lists them. */
export type ActivationMaxima = readonly (readonly ChannelMaxima[])[];

/** A scale by channel that moves from a linear's input into its weights [arXiv:2211.10438, eq. 3]. */
export interface TensorSmoothing {
  /** `norm`: divided by the scales. `norm-one-plus`: 1 + the weight is. `linear`: column j multiplied by scale j. */
  readonly kind: "norm" | "norm-one-plus" | "linear";
  readonly scales: Float32Array;
}

/** A recipe's `activations`, brought down to one model. */
export interface ActivationPlan {
  /** By layer. */
  readonly layers: readonly InputQuantization[];
  /** Tensors that change before they are quantized, by name; empty without smoothing. */
  readonly smoothing: ReadonlyMap<string, TensorSmoothing>;
}
