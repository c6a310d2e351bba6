import { z } from "zod";
import type { ArchitectureFacts } from "./model.ts";

export const fitRuntime = z.enum(["llama.cpp", "transformers", "vLLM"]);
export type FitRuntime = z.infer<typeof fitRuntime>;

/** Precision of keys and values: 16 bits, or what each runtime calls 8. */
export const cacheType = z.enum(["f16", "q8"]);
export type CacheType = z.infer<typeof cacheType>;

/** Whose memory it is: a graphics card's own, or the machine's. */
export const memoryKind = z.enum(["gpu", "ram"]);
export type MemoryKind = z.infer<typeof memoryKind>;

export interface FitMachine {
  readonly bytes: number;
  readonly kind: MemoryKind;
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** Machines to choose from; memory sold as 8 GB has 8 GiB. */
export const FIT_MACHINES: readonly (FitMachine & { readonly id: string; readonly label: string })[] = [
  ...[8, 12, 16, 24, 48, 80].map((size) => ({
    id: `gpu-${size}`,
    label: `GPU, ${size} GB`,
    bytes: size * GIB,
    kind: "gpu" as const,
  })),
  ...[16, 32].map((size) => ({
    id: `ram-${size}`,
    label: `Laptop, ${size} GB of RAM`,
    bytes: size * GIB,
    kind: "ram" as const,
  })),
];

/** What decides how much memory a model takes while it runs. */
export type FitShape = Pick<
  ArchitectureFacts,
  "layers" | "keyValueHeads" | "headSize" | "hiddenSize" | "intermediateSize" | "vocabulary" | "slidingWindow"
>;

/** One part of the memory that a runtime takes, and where the figure is from. */
export interface FitPart {
  readonly name: string;
  readonly bytes: number;
  readonly from: string;
}

export interface Fit {
  readonly runtime: FitRuntime;
  readonly weights: number;
  /** Keys and values of one sequence of the whole context. */
  readonly cache: number;
  readonly overhead: number;
  readonly total: number;
  /** Of the machine's memory, what the runtime may use. */
  readonly usable: number;
  readonly fits: boolean;
  /** Tokens that one sequence may have at most in this memory; 0 = not even the weights fit. */
  readonly longestContext: number;
  /** What the overhead is made of. */
  readonly parts: readonly FitPart[];
}

/** Bytes of one key or value, and how each runtime keeps 8 bits. */
const CACHE_BYTES: Readonly<Record<FitRuntime, Readonly<Record<CacheType, number>>>> = {
  "llama.cpp": { f16: 2, q8: 34 / 32 },
  transformers: { f16: 2, q8: 1 + 4 / 64 },
  vLLM: { f16: 2, q8: 1 },
};

export const CACHE_WORDS: Readonly<Record<FitRuntime, string>> = {
  "llama.cpp": "q8_0, 34 bytes for 32 values (-ctk q8_0 -ctv q8_0)",
  transformers: "int8 with two 16-bit constants for 64 values (QuantizedCache)",
  vLLM: "fp8, one byte a value (--kv-cache-dtype fp8)",
};

/** llama.cpp rounds the context up to so many cells; vLLM hands out blocks of 16 tokens. */
const CELLS: Readonly<Record<FitRuntime, number>> = { "llama.cpp": 256, transformers: 1, vLLM: 16 };
/** Tokens of a prompt that llama.cpp reads at once (n_ubatch), and vLLM (max_num_batched_tokens), unless told otherwise. */
const LLAMA_BATCH = 512;
const VLLM_BATCH = 2048;
/** The share of a card that vLLM takes unless told otherwise (gpu_memory_utilization). */
const VLLM_SHARE = 0.9;
const F32 = 4;
const F16 = 2;

/**
 * Keys and values of one sequence: 2 · layers · key-value heads · head size · tokens · bytes of a value, in bytes. Every layer
 * is counted in full; a runtime that keeps only a sliding window takes less.
 */
export function cacheBytes(
  shape: FitShape,
  context: number,
  type: CacheType = "f16",
  runtime: FitRuntime = "llama.cpp",
): number {
  const cells = Math.ceil(context / CELLS[runtime]) * CELLS[runtime];
  return Math.ceil(tokenBytes(shape, type, runtime) * cells);
}

function tokenBytes(
  { layers, keyValueHeads, headSize }: FitShape,
  type: CacheType,
  runtime: FitRuntime,
): number {
  return 2 * layers * keyValueHeads * headSize * CACHE_BYTES[runtime][type];
}

/**
 * Whether a model runs in a runtime on a machine, for one sequence of `context` tokens.
 * @param weightBytes of the weights as the runtime loads them, all in the memory that is asked about
 */
export function fitOf(
  model: { readonly weightBytes: number; readonly shape: FitShape },
  asked: {
    readonly runtime: FitRuntime;
    readonly machine: FitMachine;
    readonly context: number;
    readonly cache: CacheType;
  },
): Fit {
  const { runtime, machine, context, cache: type } = asked;
  const usable =
    runtime === "vLLM" && machine.kind === "gpu" ? Math.floor(machine.bytes * VLLM_SHARE) : machine.bytes;
  const taken = (tokens: number): { cache: number; parts: readonly FitPart[]; total: number } => {
    const cache = cacheBytes(model.shape, tokens, type, runtime);
    const parts = [...OVERHEADS[runtime](model.shape, tokens), ...SYSTEM[machine.kind](runtime)];
    return { cache, parts, total: model.weightBytes + cache + sum(parts) };
  };
  const { cache, parts, total } = taken(context);
  return {
    runtime,
    weights: model.weightBytes,
    cache,
    overhead: sum(parts),
    total,
    usable,
    fits: total <= usable,
    longestContext: longest((tokens) => taken(tokens).total <= usable),
    parts,
  };
}

function sum(parts: readonly FitPart[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}

/** No runtime holds more tokens of one text than this. */
const MOST_TOKENS = 2 ** 27;

/** The largest number of tokens that fits; 0 where one does not. More tokens never take less. */
function longest(fits: (tokens: number) => boolean): number {
  if (!fits(1)) return 0;
  let [low, high] = [1, MOST_TOKENS];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

const OVERHEADS: Readonly<Record<FitRuntime, (shape: FitShape, context: number) => FitPart[]>> = {
  "llama.cpp": ({ vocabulary, hiddenSize, intermediateSize }, context) => {
    // what the graph of the output, or of a layer, holds at once; and the mask in f16
    const widest = Math.max(vocabulary + 2 * hiddenSize, 4 * hiddenSize + 3 * intermediateSize);
    const bytes = LLAMA_BATCH * (widest * F32 + Math.ceil(context / 256) * 256 * F16);
    const from = `${LLAMA_BATCH} tokens at once; held to what llama.cpp reports for two models`;
    return [{ name: "Compute buffer", bytes, from }];
  },
  transformers: ({ vocabulary, hiddenSize, intermediateSize }, context) => [
    {
      name: "Activations of the prompt",
      bytes: context * (4 * hiddenSize + 3 * intermediateSize) * F16 + vocabulary * F32,
      from: "the whole prompt at once in 16 bits, one layer's tensors; estimated from shapes",
    },
  ],
  vLLM: ({ vocabulary, hiddenSize, intermediateSize }, context) => [
    {
      name: "Activations and logits",
      bytes:
        Math.min(context, VLLM_BATCH) * (4 * hiddenSize + 3 * intermediateSize) * F16 +
        256 * vocabulary * F32,
      from: `${VLLM_BATCH} tokens at once (max_num_batched_tokens) and logits of 256 sequences; estimated from shapes`,
    },
  ],
};

/** What the libraries or the system take beside the model. Allowances, not measured. */
const SYSTEM: Readonly<Record<MemoryKind, (runtime: FitRuntime) => FitPart[]>> = {
  gpu: (runtime) => [
    ...(runtime === "vLLM"
      ? [{ name: "CUDA graphs", bytes: 512 * MIB, from: "an allowance; --enforce-eager does without" }]
      : []),
    {
      name: "CUDA context and libraries",
      bytes: (runtime === "llama.cpp" ? 512 : 1024) * MIB,
      from: runtime === "llama.cpp" ? "an allowance" : "an allowance, PyTorch's own included",
    },
  ],
  ram: (runtime) => [
    { name: "System and other programs", bytes: 3 * GIB, from: "an allowance" },
    {
      name: "The program itself",
      bytes: (runtime === "llama.cpp" ? 128 : 1024) * MIB,
      from: "an allowance",
    },
  ],
};
