import type { ExportFormatDescriptor } from "./descriptor.ts";
import { transformers, vllmOr } from "./launches.ts";

export const awq: ExportFormatDescriptor = {
  title: "AWQ",
  summary:
    "AutoAWQ's file format for 4-bit matrix products (gemm). The weights are rounded to nearest: no calibration, no scaling of channels.",
  help: "packed 4-bit integers (gemm) for vLLM, transformers, AutoAWQ; schemes awq-int, int asymmetric (F16)",
  size: "packed",
  restored: "module",
  kept: ["unquantized"],
  keptEmbedding: [],
  sharded: true,
  own: ["awq-int"],
  exact:
    "Codes, scales and zero points are stored as they were evaluated, and runtimes dequantize them to the same numbers in the model's half type; all other tensors keep every byte.",
  schemes: "awq-int; int asymmetric with 4 bits on F16 checkpoints",
  granularities: "group:16 … group:128, channel; one for all modules",
  loadsIn: ["vLLM", "transformers with GPT-QModel", "AutoAWQ", "Keystone"],
  library: "transformers",
  runtime: "vLLM",
  usesEveryTensor: false,
  overrules: {},
  holdsHalfTypes: false,
  copiesGgufBlocks: false,
  preset: {
    id: "preset:awq",
    name: "4 bits as AWQ",
    description:
      "AutoAWQ's file format, rounded to nearest: asymmetric groups, plain and with outliers clipped or the range chosen for the least error.",
    plan: (granularity) => ({
      base: { scheme: "awq-int", bits: 4 },
      grid: { granularity, range: [null, { method: "zscore", threshold: 9 }, { method: "mse" }] },
    }),
  },
  launch: vllmOr(() => true, transformers),
};
