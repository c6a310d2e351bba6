import type { ExportFormatDescriptor } from "./descriptor.ts";

export const onnx: ExportFormatDescriptor = {
  title: "ONNX decoder",
  summary:
    "A complete decoder with keys and values on onnxruntime's MatMulNBits, with what onnxruntime-genai needs to generate from it.",
  help: "a complete decoder for onnxruntime and onnxruntime-genai; restored weights exact in the graph",
  size: "packed",
  restored: "exact",
  kept: [],
  keptEmbedding: [],
  sharded: false,
  own: ["matmulnbits"],
  exact:
    "Every weight is the one that was evaluated, in f32: the same codes, scales and zero points; restored weights are the source's own values, added beside the packed product; kept tensors keep the source's bytes.",
  schemes: "matmulnbits or int, 4 or 8 bits, symmetric or asymmetric",
  granularities: "group:16, 32, 64, 128 or 256",
  loadsIn: ["onnxruntime", "onnxruntime-genai", "Keystone"],
  library: "onnxruntime",
  runtime: "ONNX Runtime",
  usesEveryTensor: false,
  overrules: {},
  holdsHalfTypes: false,
  copiesGgufBlocks: false,
  preset: {
    id: "preset:onnx",
    name: "4 and 8 bits for ONNX Runtime",
    description:
      "onnxruntime's MatMulNBits, with and without the super weights, which this format stores exactly.",
    plan: (granularity) => ({
      base: { scheme: "matmulnbits" },
      grid: { bits: [4, 8], granularity, restore: ["none", "super-weights"] },
    }),
  },
  launch: (folder) => ({
    runtime: "ONNX Runtime GenAI",
    line: `import onnxruntime_genai as og\nmodel = og.Model(${JSON.stringify(folder)})`,
  }),
};
