import type { Architecture } from "../architecture/types.ts";

/**
 * What a token's way through the output head takes, in ways through a layer: multiply-adds of the head's product beside those of a
 * layer's. A small model with a large vocabulary spends a fifth of its time here, and its progress says so. At least 1, whole.
 */
export function headUnits(architecture: Pick<Architecture, "facts" | "layerTensors">): number {
  const { hiddenSize, vocabulary } = architecture.facts;
  const layer = architecture
    .layerTensors(0)
    .filter(({ kind }) => kind === "linear")
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return Math.max(1, Math.round((hiddenSize * vocabulary) / layer));
}
