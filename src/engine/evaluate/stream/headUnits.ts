import type { Architecture } from "#engine/architecture/decoder/architecture.ts";

/**
 * A variant's predictions are compared with the original's, token by token of the vocabulary; the original's own way through the head
 * is not in it. Measured on SmolLM2-135M.
 */
const COMPARED = 1.3;

/**
 * What a token's way through the output head takes, in ways through a layer: multiply-adds of the head's product beside those of a
 * layer's. A small model with a large vocabulary spends a fifth of its time here, and its progress says so. At least 1, whole.
 * @param compared whether KL divergence is computed too
 */
export function headUnits(
  architecture: Pick<Architecture, "facts" | "layerTensors">,
  compared = false,
): number {
  const { hiddenSize, vocabulary } = architecture.facts;
  const layer = architecture
    .layerTensors(0)
    .filter(({ kind }) => kind === "linear")
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return Math.max(1, Math.round(((compared ? COMPARED : 1) * hiddenSize * vocabulary) / layer));
}
