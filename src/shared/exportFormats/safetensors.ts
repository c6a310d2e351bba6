import type { ExportFormatDescriptor } from "./descriptor.ts";
import { transformers } from "./launches.ts";

export const safetensors: ExportFormatDescriptor = {
  title: "Safetensors, dequantized",
  summary:
    "A drop-in copy of the checkpoint whose weights carry the recipe's rounding, in the checkpoint's own types. As large as the source.",
  help: "a drop-in copy with dequantized weights, as large as the source; loads anywhere",
  size: "dequantized",
  restored: "exact",
  kept: [],
  keptEmbedding: [],
  sharded: true,
  own: [],
  exact:
    "Every weight is stored as it was evaluated, rounded to the checkpoint's own type; restored weights are the source's.",
  schemes: "any scheme",
  granularities: "any block",
  loadsIn: ["transformers", "vLLM", "llama.cpp's converter", "Keystone"],
  library: "transformers",
  runtime: "Transformers",
  usesEveryTensor: false,
  overrules: {},
  holdsHalfTypes: false,
  copiesGgufBlocks: false,
  preset: null,
  launch: transformers,
};
