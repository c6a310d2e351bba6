import type { Activations } from "#shared/recipe.ts";

/** How the inputs of a layer's linears are quantized. */
export interface InputQuantization extends Pick<Activations, "bits" | "per" | "matmuls"> {
  /** Channels of the normed residual (the inputs of q, k, v and of gate, up) that may hold a super activation. */
  readonly residualChannels: readonly number[];
  /** The same of down_proj's input. */
  readonly downChannels: readonly number[];
}
