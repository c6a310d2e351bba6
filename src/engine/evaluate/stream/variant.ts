import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { ActivationPlan } from "#engine/recipe/activationPlan.ts";

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
