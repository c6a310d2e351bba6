import type { PublishedResult } from "#shared/detection.ts";
import type { ArchitectureFacts } from "#shared/model.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { PUBLISHED } from "./published.ts";

type Shape = readonly [layers: number, hiddenSize: number, intermediateSize: number];
type Result = Omit<PublishedResult, "model" | "note"> & { readonly note?: string };

interface PublishedStudy {
  readonly model: string;
  readonly shape: Shape;
  readonly results: readonly Result[];
}

const PAPER = "Yu et al., arXiv 2411.07191";
const REPLICATION = "replication of Table 2 (A. Castillo, 2026)";
const CENSUS = "“Structure is not mechanism”, census of 22 models (2026)";
const CENSUS_MEASURE = "rise of WikiText-2 NLL with the row zeroed, %";
const REPLICATION_MEASURE = "perplexity with the weight zeroed, × the original's";

/** A row of the census: down_proj's whole row zeroed. */
function censusRow(layer: number, row: number, value: number, note?: string): Result {
  return {
    source: CENSUS,
    grain: "row",
    layer,
    row,
    column: null,
    measure: CENSUS_MEASURE,
    value,
    ...(note ? { note } : {}),
  };
}

/** A weight of the replication, zeroed alone; null where the source does not say which of the paper's coordinates it was. */
function replicated(value: number, place: Coordinate | null): Result {
  const [layer, row, column] = place ?? [null, null, null];
  const note = place
    ? {}
    : { note: "the strongest of the paper's coordinates; the others cost × 1.0 to 1.6 alone" };
  return {
    source: REPLICATION,
    grain: "weight",
    layer,
    row,
    column,
    measure: REPLICATION_MEASURE,
    value,
    ...note,
  };
}

/**
 * What others measured, each at its own grain and in its own unit: never to be mixed. Recognised by name and shape.
 */
const STUDIES: readonly PublishedStudy[] = [
  {
    model: "Llama-7B",
    shape: [32, 4096, 11008],
    results: [
      {
        source: PAPER,
        grain: "weight",
        layer: 2,
        row: 3968,
        column: 7003,
        measure: "WikiText-2 perplexity with the weight zeroed (5.67 before)",
        value: 1211.11,
      },
      replicated(181, [2, 3968, 7003]),
      censusRow(2, 3968, 301),
    ],
  },
  {
    model: "Llama-30B",
    shape: [60, 6656, 17920],
    results: [replicated(16, null)],
  },
  {
    model: "Mistral-7B-v0.1",
    shape: [32, 4096, 14336],
    results: [replicated(1430, [1, 2070, 7310]), censusRow(1, 2070, 287)],
  },
  {
    model: "OLMo-1B-0724-hf",
    shape: [16, 2048, 8192],
    results: [replicated(3667, null)],
  },
  {
    model: "OLMo-7B-0724-hf",
    shape: [32, 4096, 11008],
    results: [
      replicated(79, null),
      censusRow(1, 269, 112, "the row of the largest ratio, in layer 2, is 47 × less harmful"),
    ],
  },
  { model: "SmolLM2-135M", shape: [30, 576, 1536], results: [censusRow(11, 507, 313)] },
  { model: "SmolLM2-360M", shape: [32, 960, 2560], results: [censusRow(3, 87, 59)] },
  {
    model: "SmolLM2-1.7B",
    shape: [24, 2048, 8192],
    results: [
      censusRow(7, 227, 699),
      censusRow(7, 161, 287, "masked to 2 where row 749 of layer 1 is zeroed as well"),
      {
        source: "aerubanov/SmolLMSuperWeight",
        grain: "weight",
        layer: 1,
        row: 749,
        column: 4987,
        measure: "WikiText-2 perplexity with the weight zeroed (6.93 before)",
        value: 90_726_536,
      },
    ],
  },
  { model: "Qwen2.5-0.5B", shape: [24, 896, 4864], results: [censusRow(21, 62, 0.6)] },
  { model: "Qwen2.5-1.5B", shape: [28, 1536, 8960], results: [censusRow(26, 408, 0.6)] },
  { model: "Qwen2.5-3B", shape: [36, 2048, 11008], results: [censusRow(30, 318, 3.2)] },
  { model: "Qwen2.5-7B", shape: [28, 3584, 18944], results: [censusRow(26, 458, 0.7)] },
];

/** What was published about a model of this name and shape; coordinates without a measurement come last. */
export function publishedResultsFor(
  name: string,
  {
    layers,
    hiddenSize,
    intermediateSize,
  }: Pick<ArchitectureFacts, "layers" | "hiddenSize" | "intermediateSize">,
): PublishedResult[] {
  const shape = [layers, hiddenSize, intermediateSize].join();
  const matches = (entry: { model: string; shape: Shape }): boolean =>
    entry.shape.join() === shape && plain(name).includes(plain(baseName(entry.model)));
  const measured = STUDIES.filter(matches).flatMap(({ model, results }) =>
    results.map((result): PublishedResult => ({ ...result, model, note: result.note ?? null })),
  );
  const places = PUBLISHED.filter(matches).flatMap(({ model, weights, source, note }) =>
    weights.map(([layer, row, column]): PublishedResult => ({
      source: source === "paper" || source === "paper and authors' code" ? PAPER : source,
      ...{ model, grain: "weight", layer, row, column, measure: null, value: null, note: note ?? null },
    })),
  );
  const known = new Set(measured.map(({ grain, layer, row, column }) => [grain, layer, row, column].join()));
  return [
    ...measured,
    ...places.filter(({ grain, layer, row, column }) => !known.has([grain, layer, row, column].join())),
  ];
}

/** Fine-tuned models keep the coordinates of their base model: suffixes of a release do not tell models apart. */
function baseName(model: string): string {
  return model.replace(/-(hf|v0\.1)$/, "");
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
