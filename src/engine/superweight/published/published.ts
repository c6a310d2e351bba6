import type { ArchitectureFacts } from "#shared/model.ts";
import type { Coordinate } from "#shared/recipe.ts";

/** Where a published coordinate comes from. */
export type PublishedSource =
  "paper" | "paper and authors' code" | "authors' code" | "aerubanov/SmolLMSuperWeight" | "sahilpardasani";

interface PublishedModel {
  readonly model: string;
  /** Layers, hidden and intermediate size: only models of this shape can match. */
  readonly shape: readonly [layers: number, hiddenSize: number, intermediateSize: number];
  readonly weights: readonly Coordinate[];
  readonly source: PublishedSource;
  /** What the source says beside the coordinates. */
  readonly note?: string;
}

/**
 * Super weights that others published, [layer, row = output channel, column = input channel] of `down_proj`: Table 2 of
 * "The Super Weight in Large Language Models" (arXiv 2411.07191), the authors' code and reproductions. They are recognised in
 * what detection found; detection never looks here for what to find.
 */
export const PUBLISHED: readonly PublishedModel[] = [
  {
    model: "Llama-7B",
    shape: [32, 4096, 11008],
    weights: [[2, 3968, 7003]],
    source: "paper and authors' code",
  },
  {
    model: "Llama-13B",
    shape: [40, 5120, 13824],
    weights: [
      [2, 2231, 2278],
      [2, 2231, 6939],
    ],
    source: "paper and authors' code",
  },
  {
    model: "Llama-30B",
    shape: [60, 6656, 17920],
    weights: [
      [3, 5633, 12817],
      [3, 5633, 17439],
      [10, 5633, 14386],
    ],
    source: "paper and authors' code",
  },
  { model: "Llama-2-7B", shape: [32, 4096, 11008], weights: [[1, 2533, 7890]], source: "paper" },
  { model: "Llama-2-13B", shape: [40, 5120, 13824], weights: [[3, 4743, 7678]], source: "paper" },
  {
    model: "Mistral-7B-v0.1",
    shape: [32, 4096, 14336],
    weights: [[1, 2070, 7310]],
    source: "paper and authors' code",
  },
  {
    model: "OLMo-1B-0724-hf",
    shape: [16, 2048, 8192],
    weights: [[1, 1764, 1710]],
    source: "paper and authors' code",
  },
  {
    model: "OLMo-1B-0724-hf",
    shape: [16, 2048, 8192],
    weights: [[1, 1764, 8041]],
    source: "paper",
    note: "the authors' code says layer 2",
  },
  {
    model: "OLMo-1B-0724-hf",
    shape: [16, 2048, 8192],
    weights: [[2, 1764, 8041]],
    source: "authors' code",
    note: "the paper says layer 1",
  },
  {
    model: "OLMo-7B-0724-hf",
    shape: [32, 4096, 11008],
    weights: [
      [1, 269, 7467],
      [2, 269, 8275],
      [7, 269, 453],
      [24, 269, 2300],
    ],
    source: "paper and authors' code",
  },
  {
    model: "Phi-3-mini-4k-instruct",
    shape: [32, 3072, 8192],
    weights: [
      [2, 525, 808],
      [2, 1693, 808],
      [2, 1113, 808],
      [4, 525, 2723],
      [4, 1113, 2723],
      [4, 1693, 2723],
    ],
    source: "paper and authors' code",
  },
  {
    model: "Meta-Llama-3-8B",
    shape: [32, 4096, 14336],
    weights: [
      [1, 788, 2427],
      [1, 1384, 2427],
      [1, 4062, 2427],
    ],
    source: "authors' code",
  },
  {
    model: "Gemma-7B",
    shape: [28, 3072, 24576],
    weights: [[0, 1995, 21041]],
    source: "authors' code",
    note: "marked as not sufficient",
  },
  {
    model: "Falcon-7B",
    shape: [32, 4544, 18176],
    weights: [
      [3, 2002, 10708],
      [4, 2002, 5921],
    ],
    source: "authors' code",
    note: "commented out",
  },
  {
    model: "SmolLM2-1.7B",
    shape: [24, 2048, 8192],
    weights: [[1, 749, 4987]],
    source: "aerubanov/SmolLMSuperWeight",
    note: "input spike of only 26.5",
  },
  {
    model: "DeepSeek-LLM-7B-base",
    shape: [30, 4096, 11008],
    weights: [[1, 655, 6138]],
    source: "sahilpardasani",
  },
];

/** Name of the published model of this shape that has a super weight at this coordinate, or null. */
export function publishedMatch(
  {
    layers,
    hiddenSize,
    intermediateSize,
  }: Pick<ArchitectureFacts, "layers" | "hiddenSize" | "intermediateSize">,
  coordinate: Coordinate,
): string | null {
  const key = coordinate.join();
  const shape = [layers, hiddenSize, intermediateSize].join();
  return (
    PUBLISHED.find(
      (entry) => entry.shape.join() === shape && entry.weights.some((weight) => weight.join() === key),
    )?.model ?? null
  );
}
