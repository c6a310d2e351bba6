import { RANGE_METHOD_NAMES } from "./ranges.ts";
import { note } from "./notes.ts";
import { z } from "zod";
import {
  activationsReport,
  bits,
  blockScalingReport,
  importanceReport,
  sensitivityReport,
  superActivationsReport,
  thresholdSearchReport,
  tokenProbabilitiesReport,
} from "./labReports.ts";
import { judge } from "./plan.ts";
import { labInNewWords } from "./oldWords.ts";
import { granularityText, rangeRule } from "./recipe.ts";

/** The paper's experiments, by what they show; see docs/lab.md for tables and figures. */
export const experimentName = z.enum([
  "importance",
  "super-activations",
  "token-probabilities",
  "sensitivity",
  "block-scaling",
  "activations",
  "threshold-search",
]);
export type ExperimentName = z.infer<typeof experimentName>;

const path = z.string().min(1).max(4096);
const paths = z.array(path).max(64).default([]);
const prompts = z.array(z.string().min(1).max(20_000)).max(512).default([]);

/** What every experiment is asked with. Texts are files; a face fills them in where the person named none. */
const common = {
  /** The text that is judged. */
  text: path,
  /** Where thresholds and scales are chosen; never the judged text. Null = the experiment does without, or refuses. */
  calibration: path.nullable().default(null),
  judge: judge.default({ windows: "bos" }),
  /** Task files (or datasets) that rows answer too. */
  tasks: paths,
  /** At most so many items of each task file; null = all. */
  taskLimit: z.number().int().positive().nullable().default(null),
};

/** Clips tried where a threshold is searched. Kept short: each is scored on the calibration text. */
export const DEFAULT_THRESHOLDS: readonly number[] = [3, 5, 7, 9, 12, 20];
/** The same for the methods whose threshold is a fraction of the weights. */
export const DEFAULT_FRACTIONS: readonly number[] = [1e-6, 1e-5, 1e-4, 1e-3];
/** Figure 6 of the paper, with the region around 1 closer. */
export const DEFAULT_FACTORS: readonly number[] = [0, 0.1, 0.2, 0.3, 0.5, 0.8, 1, 1.2, 1.5, 2, 3];
/** Figure 7 of the paper: B×B consecutive weights. */
export const DEFAULT_GRANULARITIES: readonly string[] = [
  "flat:16384",
  "flat:65536",
  "flat:262144",
  "flat:1048576",
  "tensor",
  "channel",
];

const thresholds = z
  .array(z.number().positive())
  .min(1)
  .max(64)
  .default([...DEFAULT_THRESHOLDS]);

const labAsked = z.discriminatedUnion("experiment", [
  z.strictObject({ experiment: z.literal("importance"), ...common }),
  z.strictObject({
    experiment: z.literal("super-activations"),
    ...common,
    /** Empty = the detection prompt and the beginnings of the text's first documents. */
    prompts,
    promptCount: z.number().int().min(1).max(512).default(8),
  }),
  z.strictObject({
    experiment: z.literal("token-probabilities"),
    ...common,
    /** Empty = contexts from the text's documents, cut before their last word. */
    prompts,
    promptCount: z.number().int().min(1).max(5000).default(100),
  }),
  z.strictObject({
    experiment: z.literal("sensitivity"),
    ...common,
    factors: z
      .array(z.number().min(-16).max(16))
      .min(1)
      .max(64)
      .default([...DEFAULT_FACTORS]),
  }),
  z.strictObject({
    experiment: z.literal("block-scaling"),
    ...common,
    bits: z.array(bits).min(1).max(7).default([4, 3]),
    granularities: z
      .array(granularityText)
      .min(1)
      .max(32)
      .default([...DEFAULT_GRANULARITIES]),
    thresholds,
  }),
  z.strictObject({
    experiment: z.literal("activations"),
    ...common,
    per: z
      .array(z.enum(["token", "tensor"]))
      .min(1)
      .max(2)
      .default(["token", "tensor"]),
    matmuls: z.boolean().default(false),
    /** α tried for SmoothQuant on the calibration text; the paper's is 0.85. */
    alphas: z.array(z.number().min(0).max(1)).min(1).max(21).default([0.5, 0.65, 0.75, 0.85, 0.95]),
    /** The 8-bit weights of the clipped and restored rows. */
    range: rangeRule.default({ method: "zscore", threshold: 9 }),
  }),
  z.strictObject({
    experiment: z.literal("threshold-search"),
    ...common,
    bits: bits.default(4),
    granularity: granularityText.default("tensor"),
    /** Below 1 for the percentages where there are any, else for zscore and iqr; a method that has none of its kind takes the defaults. */
    thresholds,
    methods: z.array(z.enum(RANGE_METHOD_NAMES)).min(1).default(["zscore", "iqr", "mse"]),
    /** `model` = one threshold for all, by KL on the calibration text; `tensor` = each tensor its own. */
    scope: z.enum(["model", "tensor"]).default("model"),
    /** What a tensor's own threshold minimises: its weights' error, or its output's on the calibration text. */
    by: z.enum(["weight-error", "output-error"]).default("weight-error"),
    /** The search stops after so many scored candidates, or so many seconds; null = no bound. */
    maxTrials: z.number().int().positive().nullable().default(null),
    maxSeconds: z.number().positive().nullable().default(null),
  }),
]);
/** What an experiment is asked with. */
export const labRequest = z.preprocess(labInNewWords, labAsked);
export type LabRequest = z.output<typeof labRequest>;
export type LabRequestInput = z.input<typeof labAsked>;

const labReports = z.discriminatedUnion("experiment", [
  importanceReport,
  superActivationsReport,
  tokenProbabilitiesReport,
  sensitivityReport,
  blockScalingReport,
  activationsReport,
  thresholdSearchReport,
]);
/** What an experiment found. */
export const labReport = z.preprocess(labInNewWords, labReports);
export type LabReport = z.infer<typeof labReport>;
export type LabReportOf<E extends ExperimentName> = Extract<LabReport, { experiment: E }>;
export type LabRequestOf<E extends ExperimentName> = Extract<LabRequest, { experiment: E }>;

/** A kept experiment in a list. */
export const labSummary = z.object({
  id: z.string(),
  experiment: experimentName,
  model: z.string(),
  modelName: z.string(),
  fingerprint: z.string(),
  created: z.string(),
  seconds: z.number(),
  finding: note,
  /** Whether it was cancelled on its way, and holds what was measured until then. */
  cancelled: z.boolean().default(false),
  /** Whether it failed on its way, likewise. */
  failed: z.boolean().default(false),
});
export type LabSummary = z.infer<typeof labSummary>;

/** A kept experiment: what was asked and what came of it. */
export const labResult = z.object({ summary: labSummary, request: labRequest, report: labReport });
export type LabResult = z.infer<typeof labResult>;
