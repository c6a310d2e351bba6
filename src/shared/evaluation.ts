import { withAblationKind } from "./ablationNames.ts";
import { note } from "./notes.ts";
import { z } from "zod";
import { finiteOrNull } from "./numbers.ts";
import { rowJoin, windowConvention } from "./plan.ts";
import { coordinate } from "./recipe.ts";

/** KL divergence against the original, nats per predicted token, and how often the most likely token agrees. */
export const klReport = z.object({
  mean: finiteOrNull,
  median: finiteOrNull,
  p99: finiteOrNull,
  max: finiteOrNull,
  topAgreement: finiteOrNull,
});
export type KlReport = z.infer<typeof klReport>;

/** Exactly how the text was cut and counted; stands in every result, because two perplexities compare only if it is equal. */
export const convention = z.object({
  windows: windowConvention,
  context: z.number().int(),
  stride: z.number().int(),
  /** Whether each window is led by the tokenizer's BOS. */
  bos: z.boolean(),
  documents: z.number().int(),
  windowCount: z.number().int(),
  /** What became of the text's rows; absent in results kept before it was a choice. */
  join: rowJoin.optional(),
  /** Tokens, words and UTF-8 bytes of the documents, scored or not; absent in older results. */
  textTokens: z.number().int().optional(),
  words: z.number().int().optional(),
  bytes: z.number().int().optional(),
  /** In one sentence. */
  text: z.string(),
});
export type Convention = z.infer<typeof convention>;

const interval = z.tuple([z.number(), z.number()]);

/**
 * How sure scores are: 95% intervals of a bootstrap over blocks of the text, and what each block adds up to. Two variants that were
 * scored on the same text are compared block by block (`pairedDifference`).
 */
export const confidence = z.object({
  /** Share of such intervals that hold the true value: 0.95. */
  level: z.number(),
  resamples: z.number().int(),
  /** A block is whole documents, or consecutive tokens of one. */
  unit: z.enum(["documents", "tokens"]),
  intervals: z.object({
    /** Nats per token. */
    nll: interval,
    perplexity: interval,
    /** NLL beyond the original's, paired; absent of the original itself, as are the next two. */
    nllAdded: interval.optional(),
    kl: interval.optional(),
    topAgreement: interval.optional(),
  }),
  /** Scored tokens of each block. */
  tokens: z.array(z.number().int()),
  /** Sums over each block, nats. */
  nll: z.array(z.number()),
  kl: z.array(z.number()).optional(),
});
export type Confidence = z.infer<typeof confidence>;

/** Scores of one model (or variant) on one text. */
export const scores = z.object({
  /** Mean negative log-likelihood, nats per scored token. */
  nll: finiteOrNull,
  perplexity: finiteOrNull,
  /**
   * exp(NLL of the text / words) and exp(NLL of the text / UTF-8 bytes), as lm-eval defines them. Where a convention leaves tokens
   * of the text unscored they are taken to cost as much as the others. Null in results kept before that, and per word where a text
   * without white space is too long a word.
   */
  wordPerplexity: finiteOrNull,
  bytePerplexity: finiteOrNull,
  bitsPerByte: finiteOrNull,
  /** Scored tokens. */
  tokens: z.number(),
  /** Standard error of the mean NLL over tokens. */
  nllStandardError: finiteOrNull,
  kl: klReport.optional(),
  /** Absent where the text is too short for it, in results that are not finite, and where nobody asked. */
  confidence: confidence.optional(),
  notFinite: z.literal(true).optional(),
});
export type Scores = z.infer<typeof scores>;

/** Error of one quantized tensor against the original. */
export const tensorError = z.object({
  name: z.string(),
  layer: z.number().int().nullable(),
  bits: z.number(),
  /** Null = exactly equal (infinite). */
  sqnrDb: finiteOrNull,
  meanSquaredError: z.number(),
  maxAbsError: z.number(),
  /** Weights changed by clipping. */
  clipped: z.number(),
  restored: z.number(),
  weights: z.number(),
  bitsPerWeight: z.number(),
});
export type TensorError = z.infer<typeof tensorError>;

/** ‖h − ĥ‖ / ‖h‖ of the residual stream after each layer, variant against original, over text tokens (BOS excluded; of the longest windows where the text is too large to keep). */
export const layerError = z.object({ layer: z.number().int(), relative: finiteOrNull });
export type LayerError = z.infer<typeof layerError>;

export const evalReport = scores.extend({
  model: z.string(),
  text: z.string(),
  convention,
  /** Where SmoothQuant's scales were chosen; null where the recipe has none. */
  calibration: z.string().nullable(),
  recipe: z.unknown().nullable(),
  recipeId: z.string().nullable(),
  bitsPerWeight: z.number().nullable(),
  fileBitsPerWeight: z.number().nullable(),
  sqnrDb: finiteOrNull,
  tensors: z.array(tensorError),
  /** What the person should know of the recipe on this model, e.g. an override that changes nothing; one sentence each. */
  notes: z.array(note).default([]),
  baseline: scores.nullable(),
  device: z.string(),
  seconds: z.number(),
  peakRssBytes: z.number(),
});
export type EvalReport = z.infer<typeof evalReport>;

/** Whose columns a task file has: a published dataset's, as lm-eval reads it, or Keystone's own two formats. */
export const taskDataset = z.enum([
  "own",
  "piqa",
  "arc",
  "hellaswag",
  "lambada",
  "winogrande",
  "sciq",
  "mmlu",
]);
export type TaskDataset = z.infer<typeof taskDataset>;

/** Where a row of a task file stands: a line of JSON lines, an element of a JSON array or a row of Parquet, from 1. */
const rowPlace = { file: z.string().default(""), line: z.number().int() };

/** One question's own figures, for parity and for looking closer. */
export const taskItemReport = z.object({
  ...rowPlace,
  /** Of each continuation, nats, in the order of the choices. */
  logLikelihoods: z.array(finiteOrNull),
  /** Tokens of each continuation. */
  tokens: z.array(z.number().int()),
  /** Index of the right choice; null where there is one continuation. */
  gold: z.number().int().nullable(),
  right: z.boolean(),
  /** By log-likelihood per character; null where the task reports no acc_norm. */
  rightNorm: z.boolean().nullable(),
  truncated: z.boolean(),
});
export type TaskItemReport = z.infer<typeof taskItemReport>;

export const taskReport = z.object({
  /** No two tasks of a result have the same. */
  name: z.string(),
  /** The file or folder that was read; empty in results kept before it was. */
  path: z.string().default(""),
  /** Names of the files that were read. */
  files: z.array(z.string()).default([]),
  dataset: taskDataset.default("own"),
  kind: z.enum(["last-word", "choice"]),
  n: z.number().int(),
  /** Right by the summed log-likelihood (acc). */
  correct: z.number().int(),
  accuracy: z.number(),
  /** Sample standard deviation over √n, as lm-eval's; null for one item, which has none. */
  stderr: z.number().nullable(),
  /** Right by log-likelihood per character of the choice (acc_norm); null where lm-eval reports none. */
  accuracyNorm: z.number().nullable().default(null),
  /** As `stderr`. */
  stderrNorm: z.number().nullable().default(null),
  /** exp of the mean negative log-likelihood of the targets (LAMBADA's perplexity); null for choices. */
  perplexity: finiteOrNull.default(null),
  notFinite: z.literal(true).optional(),
  /** Items whose context was cut on the left to fit the model's positions. */
  truncated: z.number().int(),
  /** Rows that were left out, each with the reason. */
  skipped: z.array(z.object({ ...rowPlace, reason: z.string() })),
  /** Only where they were asked for. */
  items: z.array(taskItemReport).optional(),
});
export type TaskReport = z.infer<typeof taskReport>;

/** What is done to the model in a row of an ablation. */
export const ablationKind = z.enum([
  "original",
  "super-weights",
  "super-activation-kept",
  "largest-others",
  "random-others",
  "one-super-weight",
  "scaled",
]);
export type AblationKind = z.infer<typeof ablationKind>;

const judgedAblation = scores.extend({
  kind: ablationKind,
  name: z.string(),
  /** What was done, in words. */
  change: z.string(),
  /** How many weights were changed. */
  weights: z.number().int(),
  tasks: z.array(taskReport).optional(),
});
/** A row of earlier versions has no kind; its name says it. */
export const ablationRow = z.preprocess(withAblationKind, judgedAblation);
export type AblationRow = z.infer<typeof ablationRow>;

export const ablateReport = z.object({
  model: z.string(),
  text: z.string(),
  convention,
  superWeights: z.array(coordinate),
  rows: z.array(ablationRow),
  device: z.string(),
  seconds: z.number(),
});
export type AblateReport = z.infer<typeof ablateReport>;
