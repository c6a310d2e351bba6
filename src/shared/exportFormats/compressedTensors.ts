import { VLLM_TAKES } from "./vllm.ts";
import type { ExportFormatDescriptor } from "./descriptor.ts";
import { transformers, vllmOr } from "./launches.ts";

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
  launch: vllmOr(VLLM_TAKES["compressed-tensors"], transformers),
};
