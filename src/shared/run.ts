import { note } from "./notes.ts";
import { z } from "zod";
import { finiteOrNull } from "./numbers.ts";
import { judge } from "./plan.ts";
import { ranking } from "./ranking.ts";
import { coordinate, recipe } from "./recipe.ts";
import { errorData } from "./errorData.ts";
import { confidence, convention, klReport, layerError, scores, tensorError } from "./evaluation.ts";

export const variantStatus = z.enum(["waiting", "running", "done", "failed", "cancelled"]);
export type VariantStatus = z.infer<typeof variantStatus>;

/** One row of a run. The numbers are null until it is done. */
export const variantResult = z.object({
  /** The recipe's id: SHA-256 of its canonical JSON. */
  id: z.string(),
  /** Position in the plan, from 0. */
  index: z.number().int(),
  recipe,
  label: z.string(),
  status: variantStatus,
  bitsPerWeight: z.number().nullable(),
  /** Average over all tensors of the checkpoint, kept ones at their own precision. */
  fileBitsPerWeight: z.number().nullable(),
  perplexity: finiteOrNull,
  nll: finiteOrNull,
  tokens: z.number().nullable(),
  kl: klReport.nullable(),
  /** Absent in runs kept before it, and where the text is too short for it. */
  confidence: confidence.optional(),
  sqnrDb: finiteOrNull,
  seconds: z.number().nullable(),
  worker: z.number().int().nullable(),
  /** Milliseconds since the run's start, for the lanes; null until it ran. */
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
  attempts: z.number().int(),
  notFinite: z.literal(true).optional(),
  error: errorData.optional(),
  /** Id of the variant that makes the same weights and was scored: the numbers are its own. */
  sameAs: z.string().optional(),
});
export type VariantResult = z.infer<typeof variantResult>;

/** What only one variant's detail view needs: kept apart so that 10,000 rows stay light. */
export const variantDetail = z.object({
  id: z.string(),
  tensors: z.array(tensorError),
  layers: z.array(layerError),
});
export type VariantDetail = z.infer<typeof variantDetail>;

export const runStatus = z.enum([
  "waiting",
  "running",
  "paused",
  "done",
  "cancelled",
  "failed",
  "interrupted",
]);
export type RunStatus = z.infer<typeof runStatus>;

/** Longest title and note of a run, in characters. */
export const MAX_RUN_NAME = 200;
export const MAX_RUN_NOTE = 20_000;

/** Where a run came from that another Keystone executed. */
export const runOrigin = z.object({
  /** When its archive was written and read here; ISO 8601, UTC. */
  exported: z.string(),
  imported: z.string(),
  /** Version of the Keystone that wrote the archive. */
  keystone: z.string(),
  /** Scored variants whose errors by tensor and layer the archive had no room for. */
  detailsLeftOut: z.number().int().default(0),
});
export type RunOrigin = z.infer<typeof runOrigin>;

export const runSummary = z.object({
  id: z.string(),
  /** Its title. */
  name: z.string(),
  /** What the person wrote about it; empty where nothing. */
  note: z.string().default(""),
  /** How many edits of title and note can be undone. */
  edits: z.number().int().default(0),
  /** Null for a run that this store's Keystone executed. */
  imported: runOrigin.nullable().default(null),
  /** Path of the checkpoint; empty for an imported run, whose checkpoint is recognised by its fingerprint alone. */
  model: z.string(),
  modelName: z.string(),
  /** Of the checkpoint that was scored. */
  fingerprint: z.string().optional(),
  /** ISO 8601, UTC. */
  created: z.string(),
  updated: z.string(),
  status: runStatus,
  done: z.number().int(),
  failed: z.number().int(),
  total: z.number().int(),
  best: z.string().nullable(),
});
export type RunSummary = z.infer<typeof runSummary>;

export const runDetail = z.object({
  summary: runSummary,
  judge,
  text: z.string(),
  /** SHA-256 of the text's file. */
  textHash: z.string().optional(),
  /** Where SmoothQuant's scales were chosen; null where no recipe has any. */
  calibration: z.string().nullable(),
  calibrationHash: z.string().nullable().optional(),
  convention: convention.nullable(),
  /** The original on the same text; null until it is scored. */
  baseline: scores.nullable(),
  superWeights: z.array(coordinate),
  results: z.array(variantResult),
  best: z.string().nullable(),
  ranking,
  /** Ids of the variants that no other beats in both bits per weight and KL. */
  pareto: z.array(z.string()),
  workers: z.number().int(),
  threadsPerWorker: z.number().int(),
  device: z.string(),
  seconds: z.number(),
  notes: z.array(note),
});
export type RunDetail = z.infer<typeof runDetail>;
