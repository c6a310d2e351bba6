import type { Note } from "#shared/notes.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import type { ArchitectureFacts, ModelSummary, TensorInfo, UnknownFamily } from "#shared/model.ts";
import { findChatTemplates } from "./tokens/chatTemplates.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { hasTokenizer } from "./tokens/loadTokenizer.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

/** What the architecture's reader says about a checkpoint; `unsupported` = why forward passes are refused. */
export interface ReadArchitecture {
  readonly facts: ArchitectureFacts;
  readonly unsupported: string | null;
  /** Where that is because no family computes its model type. */
  readonly unknown: UnknownFamily | null;
}

/** The overview of an open checkpoint: from its headers and config. */
export async function summarizeModel(
  checkpoint: Checkpoint,
  { facts, unsupported, unknown }: ReadArchitecture,
): Promise<ModelSummary> {
  const tensors = [...checkpoint.tensors.values()];
  const withTokenizer = await hasTokenizer(checkpoint.path);
  return {
    path: checkpoint.path,
    name: modelName(checkpoint.path),
    fingerprint: checkpoint.fingerprint,
    revision: checkpoint.revision,
    architecture: facts,
    parameters: sum(tensors, (tensor) => tensor.parameters),
    bytes: sum(checkpoint.shards, (shard) => shard.bytes),
    dtypes: weightsPerType(tensors),
    shards: checkpoint.shards.map((shard) => ({ ...shard })),
    tensors,
    hasTokenizer: withTokenizer,
    inventory: [...checkpoint.inventory],
    chatTemplates: await templateNames(checkpoint.path),
    notes: [...checkpoint.notes, ...oddities(tensors, withTokenizer)],
    unsupported,
    unknown,
    memory: estimateMemory(tensors, facts),
  };
}

/** None where they cannot be read: whoever generates is told why. */
async function templateNames(path: string): Promise<string[]> {
  const found = await findChatTemplates(path).catch(() => []);
  return found.map(({ name }) => name);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function weightsPerType(tensors: readonly TensorInfo[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { dtype, parameters, packed } of tensors) {
    const type = packed?.scheme ?? dtype;
    counts[type] = (counts[type] ?? 0) + parameters;
  }
  return counts;
}

function oddities(tensors: readonly TensorInfo[], withTokenizer: boolean): Note[] {
  const unreadable = [
    ...new Set(tensors.map((tensor) => tensor.dtype).filter((dtype) => !isStorageType(dtype))),
  ];
  const empty = tensors.filter((tensor) => tensor.parameters === 0).length;
  return [
    ...(withTokenizer
      ? []
      : [{ code: "tokenizer/none", text: "There is no tokenizer: texts cannot be evaluated." }]),
    ...(unreadable.length > 0
      ? [
          {
            code: "tensors/unreadable",
            text: `Tensors of type ${unreadable.join(", ")} are listed but cannot be read.`,
          },
        ]
      : []),
    ...(empty > 0
      ? [
          {
            code: "tensors/empty",
            text: `${empty} ${empty === 1 ? "tensor has" : "tensors have"} no elements.`,
          },
        ]
      : []),
  ];
}

/** Allowance for Node, onnxruntime and their buffers before any weight is read. */
const RUNTIME_BYTES = 250_000_000;
/** Positions of the detection prompt, generously. */
const PROMPT_TOKENS = 64;
/** Positions of the text a sweep's worker holds at once: hidden states for this many in f32. */
const SWEEP_TOKENS = 32_768;
/** Rows whose log-probabilities over the vocabulary are in memory together, for the original and the variant. */
const HEAD_ROWS = 256;
const F32 = 4;

/**
 * Peak bytes per task. L = weights of the largest layer, D = hidden, I = intermediate, V = vocabulary, all in f32:
 *   detect          runtime + L + 64 positions of (4 D + 3 I), the layer's activations and taps
 *   sweepPerWorker  runtime + 2 L (original and variant) + V·D (head) + 2 · 32,768 · D (hidden states) + 2 · 256 · V
 *   export          runtime + 2.5 · largest tensor (original, dequantized, and the 16-bit copy that is written)
 */
export function estimateMemory(
  tensors: readonly TensorInfo[],
  facts: ArchitectureFacts,
): ModelSummary["memory"] {
  const { hiddenSize, intermediateSize, vocabulary } = facts;
  const layers = new Map<number, number>();
  for (const { layer, parameters } of tensors)
    if (layer !== null) layers.set(layer, (layers.get(layer) ?? 0) + parameters);
  const layer = F32 * Math.max(0, ...layers.values());
  const largest = F32 * tensors.reduce((most, tensor) => Math.max(most, tensor.parameters), 0);
  const judging =
    F32 * (vocabulary * hiddenSize + 2 * SWEEP_TOKENS * hiddenSize + 2 * HEAD_ROWS * vocabulary);
  return {
    detect: RUNTIME_BYTES + layer + F32 * PROMPT_TOKENS * (4 * hiddenSize + 3 * intermediateSize),
    sweepPerWorker: RUNTIME_BYTES + 2 * layer + judging,
    export: RUNTIME_BYTES + 2.5 * largest,
  };
}
