import { note } from "./notes.ts";
import { z } from "zod";
import { inventory } from "./inventory.ts";
import { finiteOrNull } from "./numbers.ts";

/** What a tensor does in the model; decides colours, memory estimates and what quantizes by default. */
export const tensorRole = z.enum(["embedding", "head", "attention", "mlp", "norm", "bias", "other"]);
export type TensorRole = z.infer<typeof tensorRole>;

/** One tensor as the checkpoint's headers describe it; nothing of its data is read for this. */
export const tensorInfo = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.string(),
  parameters: z.number(),
  bytes: z.number(),
  /** Shard it is in, and the half-open byte range [begin, end) in that file. */
  file: z.string(),
  begin: z.number(),
  end: z.number(),
  role: tensorRole,
  /** Decoder layer, counted from 0; null outside the layers. */
  layer: z.number().int().nullable(),
  /** True where a recipe quantizes it by default: the linears of the decoder layers. */
  linear: z.boolean(),
  /**
   * Where the file holds codes and constants: how they are packed (`GPTQ int4, group 128`, `Q4_0`) and what a weight costs.
   * `dtype` is then the type of the dequantized values, `bytes` all that the tensor takes in the file.
   */
  packed: z.object({ scheme: z.string(), bitsPerWeight: z.number() }).optional(),
});
export type TensorInfo = z.infer<typeof tensorInfo>;

/** What a tensor is stored as, for people: its packing where the file holds codes, otherwise its type. */
export function storedAs({ dtype, packed }: Pick<TensorInfo, "dtype" | "packed">): string {
  return packed?.scheme ?? dtype;
}

/** Facts of the architecture, as shown on the overview. Null = the config does not say. */
export const architectureFacts = z.object({
  /** Class named by the config, e.g. `LlamaForCausalLM`. */
  name: z.string(),
  family: z.string(),
  layers: z.number().int(),
  hiddenSize: z.number().int(),
  intermediateSize: z.number().int(),
  heads: z.number().int(),
  keyValueHeads: z.number().int(),
  headSize: z.number().int(),
  vocabulary: z.number().int(),
  contextLength: z.number().int(),
  norm: z.string(),
  position: z.string(),
  activation: z.string(),
  slidingWindow: z.number().int().nullable(),
  tiedEmbeddings: z.boolean(),
});
export type ArchitectureFacts = z.infer<typeof architectureFacts>;

/** What can be said of a model type that no family computes. */
export const unknownFamily = z.object({
  /** As config.json names it; null where it names none. */
  modelType: z.string().nullable(),
  /** What it is, what it is nearest to and what still works, in sentences. */
  text: z.string(),
  /** The family whose equations are nearest, or whose tensors it has; null = none is near. */
  nearest: z.string().nullable(),
  /** The family that its config and tensors fit, as which it can be tried; null = none. */
  tryAs: z.string().nullable(),
});
export type UnknownFamily = z.infer<typeof unknownFamily>;

/** What a model predicts when it is computed as one of another family: plain text tells whether the equations are its own. */
export const tryReport = z.object({
  model: z.string(),
  family: z.string(),
  /** Of a passage that ships with Keystone; null where it is not finite. */
  perplexity: finiteOrNull,
  /** What a model that knows nothing has: the vocabulary's size. */
  chance: z.number(),
  tokens: z.number(),
  /** `plausible`: at most half of chance's nats a token. */
  verdict: z.enum(["plausible", "doubtful", "wrong"]),
  /** What that means and what to do next, in sentences. */
  text: z.string(),
});
export type TryReport = z.infer<typeof tryReport>;

/** A checkpoint as it was opened: from headers and config, so that it is there in an instant whatever its size. */
export const modelSummary = z.object({
  /** Absolute folder; also the model's identity in the contract. */
  path: z.string(),
  name: z.string(),
  /** SHA-256 over config, tensor tables, file sizes and a sample of every tensor's bytes: which model this is. */
  fingerprint: z.string(),
  /** SHA-256 over the fingerprint and when the files were last written: another one after every write, and for a copy. */
  revision: z.string(),
  architecture: architectureFacts,
  parameters: z.number(),
  bytes: z.number(),
  /** Weights per storage type or packing, e.g. { "F16": 4950016 }. */
  dtypes: z.record(z.string(), z.number()),
  shards: z.array(z.object({ file: z.string(), bytes: z.number() })),
  tensors: z.array(tensorInfo),
  hasTokenizer: z.boolean(),
  /** Names of its chat templates, the default one first. */
  chatTemplates: z.array(z.string()).default([]),
  /** Things that are odd but not fatal, one sentence each (an unsupported rope type is fatal for `detect`, not for opening). */
  notes: z.array(note),
  /** Everything that it holds, used or not used for a stated reason. `tensors` are those that are used. */
  inventory: inventory.default([]),
  /** Why forward passes are refused (unknown architecture), or null. Such a checkpoint can still be inspected. */
  unsupported: z.string().nullable(),
  /** Where that is because its model type is not known. */
  unknown: unknownFamily.nullable().default(null),
  /** Peak bytes per task, estimated from shapes. */
  memory: z.object({ detect: z.number(), sweepPerWorker: z.number(), export: z.number() }),
});
export type ModelSummary = z.infer<typeof modelSummary>;

/** Statistics of one tensor's values, computed on demand in a worker; f64 sums. */
export const tensorStatistics = z.object({
  name: z.string(),
  count: z.number(),
  min: finiteOrNull,
  max: finiteOrNull,
  absMax: finiteOrNull,
  /** [row, column] of the largest |w|; a 1-D tensor has row 0. */
  absMaxAt: z.tuple([z.number(), z.number()]),
  secondAbsMax: finiteOrNull,
  mean: finiteOrNull,
  standardDeviation: finiteOrNull,
  /** Pearson, population: 3 for a normal distribution. */
  kurtosis: finiteOrNull,
  p01: finiteOrNull,
  p99: finiteOrNull,
  zeros: z.number(),
  notFiniteCount: z.number(),
  /** Equal bins from min to max. */
  histogram: z.object({ from: z.number(), to: z.number(), counts: z.array(z.number()) }),
  /** Largest |w| of each row, thinned to at most 512 bins of rows (maximum per bin). */
  rowMaxima: z.array(z.number()),
});
export type TensorStatistics = z.infer<typeof tensorStatistics>;
