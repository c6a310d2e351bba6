import type { ExportFormatDescriptor, VllmTakes } from "./descriptor.ts";
import { vllmOr } from "./launches.ts";

/** The integers that vLLM 0.32 has kernels for on every device; their groups are a question apart. */
export const vllmTakesGptq: VllmTakes = ({ bits, symmetric }) => (bits === 4 || bits === 8) && symmetric;

export const gptq: ExportFormatDescriptor = {
  title: "GPTQ",
  summary:
    "GPTQ's file format, which most loaders of quantized checkpoints read. The weights are rounded to nearest: no calibration.",
  help: "packed 2-, 3-, 4- and 8-bit integers for vLLM, GPT-QModel, ExLlama; schemes gptq-int, int (F16)",
  size: "packed",
  restored: "module",
  kept: ["unquantized", "8-bit"],
  keptEmbedding: [],
  sharded: true,
  own: ["gptq-int"],
  exact:
    "Codes, scales and zero points are stored as they were evaluated, and runtimes dequantize them to the same numbers in the model's half type; all other tensors keep every byte.",
  schemes: "gptq-int with 2, 3, 4 or 8 bits; int with as many on F16 checkpoints",
  granularities: "group:16 … group:1024, channel",
  loadsIn: ["vLLM", "GPT-QModel", "transformers", "ExLlama", "Keystone"],
  library: "transformers",
  runtime: "vLLM",
  usesEveryTensor: false,
  overrules: {},
  holdsHalfTypes: false,
  copiesGgufBlocks: false,
  preset: {
    id: "preset:gptq",
    name: "4 and 8 bits as GPTQ",
    description:
      "GPTQ's file format, rounded to nearest: symmetric groups, plain and with the range chosen for the least error.",
    plan: (granularity) => ({
      base: { scheme: "gptq-int", symmetric: true },
      grid: { bits: [4, 8], granularity, range: [null, { method: "mse" }] },
    }),
  },
  launch: vllmOr(vllmTakesGptq, (folder) => ({
    runtime: "GPT-QModel",
    line: `from gptqmodel import GPTQModel\nmodel = GPTQModel.load(${JSON.stringify(folder)})`,
  })),
};
