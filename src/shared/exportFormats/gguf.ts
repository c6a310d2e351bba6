import type { ExportFormatDescriptor } from "./descriptor.ts";

const OWN = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"] as const;

export const gguf: ExportFormatDescriptor = {
  title: "GGUF",
  summary: "One file with weights, metadata and tokenizer, for llama.cpp and the programs built on it.",
  help: "one file for llama.cpp; schemes q4_0, q4_1, q5_0, q5_1, q8_0, int symmetric, with group:32; f16, bf16",
  size: "packed",
  restored: "module",
  kept: ["unquantized", "8-bit"],
  keptEmbedding: ["unquantized", "8-bit"],
  sharded: false,
  own: OWN,
  exact:
    "Codes and scales are stored as they were evaluated, and llama.cpp dequantizes them to the same f32 numbers; norms and biases become F32, everything else keeps its type, blocks of a GGUF source included.",
  schemes: "q4_0, q4_1, q5_0, q5_1, q8_0, int symmetric with 4, 5 or 8 bits, and f16 or bf16",
  granularities: "group:32",
  loadsIn: ["llama.cpp", "ollama", "LM Studio", "node-llama-cpp", "Keystone"],
  library: "gguf",
  runtime: "llama.cpp",
  usesEveryTensor: true,
  // llama.cpp has windows switched off for every family that is exported
  overrules: { sliding_window: null },
  holdsHalfTypes: true,
  copiesGgufBlocks: true,
  preset: {
    id: "preset:llama.cpp",
    name: "4 to 8 bits for llama.cpp",
    description:
      "GGUF's own blocks of 32 from 4 to 8 bits, plain and with the range chosen for the least error.",
    plan: () => ({
      recipes: OWN.flatMap((scheme) => {
        const recipe = { scheme, granularity: "group:32" };
        return [recipe, { ...recipe, range: { method: "mse" } }];
      }),
    }),
  },
  launch: (folder, files) => ({
    runtime: "llama.cpp",
    line: `llama-server -m ${JSON.stringify(files.find((path) => path.endsWith(".gguf")) ?? folder)}`,
  }),
};
