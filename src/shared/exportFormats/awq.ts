import { VLLM_TAKES } from "./vllm.ts";
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
  launch: vllmOr(VLLM_TAKES.awq, transformers),
};
