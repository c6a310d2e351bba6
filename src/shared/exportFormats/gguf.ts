import type { ExportFormatDescriptor } from "./descriptor.ts";

const BLOCKS = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"] as const;
/** Whose scales are searched for, smallest first. */
const SEARCHED = ["q2_k", "q3_k", "iq4_xs", "iq4_nl", "q4_k", "q5_k", "q6_k"] as const;
/** llama.cpp's mixes of them. */
const MIXES = ["q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m"] as const;

/** A scheme in every layer with llama.cpp's usual head, so that its size can be held against a mix. */
const throughout = (scheme: (typeof BLOCKS)[number] | (typeof SEARCHED)[number]) => ({
  scheme,
  ignore: [],
  overrides: ["*lm_head*", "*embed_tokens*"].map((match) => ({
    match,
    scheme: "q6_k",
    bits: 6,
    granularity: "group:256",
  })),
});

export const gguf: ExportFormatDescriptor = {
  title: "GGUF",
  summary: "One file with weights, metadata and tokenizer, for llama.cpp and the programs built on it.",
  help: "one file for llama.cpp; schemes q4_0, q4_1, q5_0, q5_1, q8_0, iq4_nl, int symmetric, with group:32; q2_k to q6_k, iq4_xs; the mixes q3_k_s to q5_k_m; f16, bf16",
  size: "packed",
  restored: "module",
  kept: ["unquantized", "8-bit"],
  keptEmbedding: ["unquantized", "8-bit"],
  sharded: false,
  own: [...BLOCKS, ...SEARCHED, ...MIXES],
  exact:
    "Codes and scales are stored as they were evaluated, and llama.cpp dequantizes them to the same f32 numbers; norms and biases become F32, everything else keeps its type, blocks of a GGUF source included.",
  schemes:
    "q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs, the mixes q3_k_s, q3_k_m, q3_k_l, q4_k_s, q4_k_m, q5_k_s and q5_k_m, int symmetric with 4, 5 or 8 bits, and f16 or bf16",
  granularities: "group:32; group:256 for q2_k to q6_k, iq4_xs and the mixes",
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
    name: "4 bits for llama.cpp",
    description: "Q4_K_M, the usual choice, and its rivals of about its size, ranked by what was measured.",
    plan: () => ({
      recipes: [
        ...["q4_k_m", "q4_k_s"].map((scheme) => ({ scheme })),
        ...(["q4_k", "iq4_xs", "iq4_nl", "q4_1", "q4_0"] as const).map(throughout),
        { scheme: "q3_k_l" },
      ],
    }),
  },
  launch: (folder, files) => ({
    runtime: "llama.cpp",
    line: `llama-server -m ${JSON.stringify(files.find((path) => path.endsWith(".gguf")) ?? folder)}`,
  }),
};
