import { KeystoneError } from "#shared/errors.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { ActivationMaxima, ChannelMaxima, TensorSmoothing } from "./activationPlan.ts";

/** Scales and the weights' maxima are at least this, as in SmoothQuant's published code. */
const LEAST = 1e-5;

/**
 * s_j = max|X_j|^α / max|W_j|^(1 − α) [arXiv:2211.10438, eq. 4], (hidden) f32, clamped from below as the published code
 * clamps. A larger α moves more of the inputs' range into the weights.
 */
export function smoothingScales({ inputs, weights }: ChannelMaxima, alpha: number): Float32Array {
  return inputs.map((input, j) =>
    Math.max(input ** alpha / Math.max(weights[j], LEAST) ** (1 - alpha), LEAST),
  );
}

/** What smoothing does to every tensor it touches, by name. @throws KeystoneError activations/no-norm-weight */
export function planSmoothing(
  architecture: Architecture,
  maxima: ActivationMaxima,
  alpha: number,
): Map<string, TensorSmoothing> {
  requireNormWeights(architecture);
  const smoothing = new Map<string, TensorSmoothing>();
  maxima.forEach((groups, layer) =>
    architecture.smoothGroups(layer).forEach(({ norms, onePlus, linears }, group) => {
      const scales = smoothingScales(groups[group], alpha);
      for (const name of norms) smoothing.set(name, { kind: onePlus ? "norm-one-plus" : "norm", scales });
      for (const name of linears) smoothing.set(name, { kind: "linear", scales });
    }),
  );
  return smoothing;
}

/** Smooths a tensor: weight: (hidden) of a norm, or (out, hidden). out may not alias it. */
export function applySmoothing(
  weight: Float32Array,
  { kind, scales }: TensorSmoothing,
  out: Float32Array,
): Float32Array {
  const width = scales.length;
  if (kind === "norm") for (let j = 0; j < width; j++) out[j] = weight[j] / scales[j];
  else if (kind === "norm-one-plus") for (let j = 0; j < width; j++) out[j] = (1 + weight[j]) / scales[j] - 1;
  else {
    for (let begin = 0; begin < weight.length; begin += width)
      for (let j = 0; j < width; j++) out[begin + j] = weight[begin + j] * scales[j];
  }
  return out;
}

/** @throws KeystoneError activations/no-norm-weight where a block has no norm of its own with a weight that could take the scales */
export function requireNormWeights(architecture: Architecture): void {
  const { layers, name } = architecture.facts;
  for (let layer = 0; layer < layers; layer++) {
    const bare = architecture.smoothGroups(layer).find(({ norms }) => norms.length === 0);
    if (!bare) continue;
    throw new KeystoneError(
      "activations/no-norm-weight",
      `SmoothQuant folds its scales into the weights of the norm in front of each block, and ${name} has none there.`,
      'Choose the method "naive" or "super-activation".',
      { layer, input: bare.input },
    );
  }
}
