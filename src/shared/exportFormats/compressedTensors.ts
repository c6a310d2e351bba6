import type { ExportFormatDescriptor, VllmTakes } from "./descriptor.ts";
import { transformers, vllmOr } from "./launches.ts";

/** The integers that vLLM 0.32 has kernels for on every device; their groups are a question apart. */
export const vllmTakesCompressedTensors: VllmTakes = ({ bits, symmetric }) => bits === 4 || symmetric;

export const compressedTensors: ExportFormatDescriptor = {
  title: "compressed-tensors",
  summary:
    "The format of vLLM and llm-compressor: packed integers beside the checkpoint's own other tensors.",
  help: "packed 4- and 8-bit integers for vLLM and transformers; schemes compressed-tensors, int (F16)",
  size: "packed",
  restored: "module",
  kept: ["unquantized", "8-bit"],
  keptEmbedding: [],
  sharded: true,
  own: ["compressed-tensors"],
  exact:
    "Codes, scales and zero points are stored as they were evaluated, and runtimes dequantize them to the same numbers in the checkpoint's type; all other tensors keep every byte.",
  schemes: "compressed-tensors with 4 or 8 bits; int with 4 or 8 bits on F16 checkpoints",
  granularities: "group:N, channel",
  loadsIn: ["vLLM", "transformers", "SGLang", "Keystone"],
  library: "transformers",
  runtime: "vLLM",
  usesEveryTensor: false,
  overrules: {},
  holdsHalfTypes: false,
  copiesGgufBlocks: false,
  preset: {
    id: "preset:vllm",
    name: "4 bits for vLLM",
    description:
      "compressed-tensors' 4-bit groups that vLLM's kernels load, symmetric and asymmetric, plain and with the range chosen for the least error.",
    plan: (granularity) => ({
      base: { scheme: "compressed-tensors", bits: 4 },
      grid: { granularity, symmetric: [true, false], range: [null, { method: "mse" }] },
    }),
  },
  launch: vllmOr(vllmTakesCompressedTensors, transformers),
};
