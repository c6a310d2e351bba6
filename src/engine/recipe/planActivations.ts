import { KeystoneError } from "#shared/errors.ts";
import type { Activations, Coordinate } from "#shared/recipe.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { planSmoothing } from "./smoothing.ts";
import type { ActivationMaxima, ActivationPlan } from "./activationPlan.ts";
import type { InputQuantization } from "#engine/architecture/inputs/inputQuantization.ts";

/** What `activations` need to know of the model. */
export interface ActivationContext {
  readonly architecture: Architecture;
  /** Whose activations the method "super-activation" keeps. */
  readonly superWeights: readonly Coordinate[];
  /** From a calibration pass; only "smoothquant" needs them. */
  readonly maxima: ActivationMaxima | null;
}

/**
 * Brings a recipe's `activations` down to a model. A super weight [layer, row, column] has its super activation in `column`
 * of its own layer's down_proj input and, carried by the residual, in channel `row` of the normed inputs of every later layer.
 * @throws KeystoneError usage/no-calibration, activations/no-norm-weight, activations/experts
 */
export function planActivations(activations: Activations, context: ActivationContext): ActivationPlan {
  const { architecture, superWeights, maxima } = context;
  refuseExperts(architecture);
  const { bits, per, matmuls, method, alpha } = activations;
  const kept = method === "super-activation" ? superWeights : [];
  const layers = Array.from({ length: architecture.facts.layers }, (_, layer): InputQuantization => ({
    ...{ bits, per, matmuls },
    residualChannels: unique(kept.filter(([of]) => of < layer).map(([, row]) => row)),
    downChannels: unique(kept.filter(([of]) => of === layer).map(([, , column]) => column)),
  }));
  if (method !== "smoothquant") return { layers, smoothing: new Map() };
  if (maxima === null) throw noCalibration();
  return { layers, smoothing: planSmoothing(architecture, maxima, alpha) };
}

function unique(channels: readonly number[]): number[] {
  return [...new Set(channels)];
}

/**
 * Units of activations are counted over windows, and an expert sees tokens of all of them.
 * @throws KeystoneError activations/experts
 */
export function refuseExperts(architecture: Pick<Architecture, "kinds" | "expertsOf">): void {
  if (!architecture.kinds.some((layer) => architecture.expertsOf(layer) > 0)) return;
  throw new KeystoneError(
    "activations/experts",
    "The recipe quantizes activations, which is not computed for models with experts.",
    'Leave "activations" out of the recipe: weights are quantized expert by expert.',
  );
}

/** SmoothQuant without a text to calibrate on. */
export function noCalibration(): KeystoneError {
  return new KeystoneError(
    "usage/no-calibration",
    "SmoothQuant chooses its scales on a calibration text, but none was named.",
    "Name a calibration text other than the judged one (--calibration FILE).",
  );
}
