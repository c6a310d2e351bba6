import { z } from "zod";
import { ablationRow, convention, klReport, scores, taskReport } from "./evaluation.ts";
import { finiteOrNull } from "./numbers.ts";
import { judge } from "./plan.ts";
import { labInNewWords } from "./oldWords.ts";
import { coordinate, granularityText, rangeRule } from "./recipe.ts";

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
const bits = z.number().int().min(2).max(8);
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
    methods: z
      .array(z.enum(["zscore", "block-percentage", "tensor-percentage", "iqr", "mse"]))
      .min(1)
      .default(["zscore", "iqr", "mse"]),
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

/** How many of its points a report holds, counted in the experiment's own unit; null where earlier versions kept it. */
export const labReached = z.object({
  done: z.number().int(),
  /** Null where it is not known before the end. */
  of: z.number().int().nullable(),
  /** One of them: `row`, `factor`. */
  unit: z.string(),
});
export type LabReached = z.infer<typeof labReached>;

/** What stands in every report, so that it can be read and repeated alone. */
const facts = {
  /** Folder and name of the checkpoint. */
  model: z.string(),
  modelName: z.string(),
  fingerprint: z.string(),
  text: z.string(),
  calibration: z.string().nullable(),
  /** At most so many items of each task file were asked for; null = all. */
  taskLimit: z.number().int().positive().nullable().default(null),
  convention,
  superWeights: z.array(coordinate),
  device: z.string(),
  seconds: z.number(),
  /** False while points still come: a report told on the way holds what is known so far. */
  complete: z.boolean(),
  /** Set where it was cancelled on its way: what it holds is what was measured until then. */
  cancelled: z.boolean().default(false),
  /** Set where it failed on its way, with the reason; it too holds what was measured until then. */
  failed: z.string().nullable().default(null),
  reached: labReached.nullable().default(null),
  /** The result in one sentence with its numbers; what a heading says. */
  finding: z.string(),
  /** What the reader must know: what was counted out, what could not be shown. One sentence each. */
  notes: z.array(z.string()),
};

/** Table 1: original, pruned, pruned with the super activation kept, other outliers pruned. */
export const importanceReport = z.object({
  experiment: z.literal("importance"),
  ...facts,
  rows: z.array(ablationRow),
  /** Share of the lost accuracy (or, without tasks, of log perplexity) that keeping the super activation recovers, 0 … 1. */
  recovered: finiteOrNull,
});

/** Largest |value| of the residual stream behind one layer, with its sign and place. */
export const residualPeak = z.object({
  value: finiteOrNull,
  token: z.number().int(),
  channel: z.number().int(),
});

/** Figures 3 and 4. */
export const superActivationsReport = z.object({
  experiment: z.literal("super-activations"),
  ...facts,
  layers: z.number().int(),
  prompts: z.array(z.object({ text: z.string(), tokens: z.number().int() })),
  states: z.array(
    z.object({
      name: z.enum(["original", "without super weights", "without other outliers"]),
      /** [prompt][layer]. */
      peaks: z.array(z.array(residualPeak)),
    }),
  ),
  /** One per super weight: how its channel behaves over layers and prompts in the original. */
  persistence: z.array(
    z.object({
      superWeight: coordinate,
      /**
       * Per layer: share of prompts whose largest value lies in the super weight's row (other super weights' rows left out), and
       * share that also has it at the commonest token position.
       */
      layers: z.array(
        z.object({
          layer: z.number().int(),
          sameChannel: z.number(),
          sameToken: z.number(),
          /** Median over prompts of |value| in that channel at its largest position. */
          magnitude: finiteOrNull,
          /** What is left there, at the original's position, without the super weights. */
          withoutSuperWeights: finiteOrNull,
        }),
      ),
      /** First and last layer that carry it in every prompt; null = in none. */
      from: z.number().int().nullable(),
      to: z.number().int().nullable(),
      /** The token that holds it in every prompt in all of these layers; null where prompts differ. */
      token: z.number().int().nullable(),
    }),
  ),
});

/** Tokens on record for their change, so many that gain most and so many that lose most. */
export const MOST_MOVED = 10;

/** Figure 5. */
export const tokenProbabilitiesReport = z.object({
  experiment: z.literal("token-probabilities"),
  ...facts,
  prompts: z.number().int(),
  /** A few of the prompts, for the reader. */
  examples: z.array(
    z.object({
      text: z.string(),
      original: z.object({ text: z.string(), probability: z.number() }),
      pruned: z.object({ text: z.string(), probability: z.number() }),
    }),
  ),
  /** Mean probability over prompts; the union of both models' 20 likeliest and of the largest changes either way. */
  tokens: z.array(
    z.object({
      id: z.number().int(),
      text: z.string(),
      stopWord: z.boolean(),
      original: z.number(),
      pruned: z.number(),
    }),
  ),
  /** Mean probability that the next token is a stop word or punctuation. */
  stopWords: z.object({ original: z.number(), pruned: z.number(), vocabulary: z.number().int() }),
  /** Mean entropy of the next-token distribution, nats. */
  entropy: z.object({ original: z.number(), pruned: z.number() }),
  /** Mean KL(original ‖ pruned), nats. */
  kl: finiteOrNull,
});

/** Figure 6. */
export const sensitivityReport = z.object({
  experiment: z.literal("sensitivity"),
  ...facts,
  original: scores.extend({ tasks: z.array(taskReport).optional() }).nullable(),
  points: z.array(scores.extend({ factor: z.number(), tasks: z.array(taskReport).optional() })),
});

/** Figure 7: one cell per bits, block and arm. */
export const blockScalingReport = z.object({
  experiment: z.literal("block-scaling"),
  ...facts,
  original: scores.extend({ tasks: z.array(taskReport).optional() }).nullable(),
  cells: z.array(
    z.object({
      bits,
      granularity: granularityText,
      arm: z.enum(["plain", "clip-restore"]),
      /** The clip of least KL on the calibration text; null for plain. */
      range: rangeRule.nullable(),
      calibrationKl: finiteOrNull,
      bitsPerWeight: z.number(),
      scores,
      tasks: z.array(taskReport).optional(),
    }),
  ),
  /** Every clip tried, with its KL on the calibration text. */
  trials: z.array(
    z.object({
      bits,
      granularity: granularityText,
      range: rangeRule,
      kl: finiteOrNull,
      perplexity: finiteOrNull,
    }),
  ),
});

/** Tables 3 and 4. */
export const activationsReport = z.object({
  experiment: z.literal("activations"),
  ...facts,
  matmuls: z.boolean(),
  rows: z.array(
    z.object({
      name: z.string(),
      method: z.enum(["none", "naive", "smoothquant", "super-activation"]),
      per: z.enum(["token", "tensor"]).nullable(),
      weights: z.enum(["original", "8-bit", "8-bit clipped and restored"]),
      alpha: z.number().nullable(),
      scores,
      /** (naive − this) / (naive − original) of the NLL, as the paper's percent; null where naive loses nothing. */
      recovered: finiteOrNull,
      tasks: z.array(taskReport).optional(),
    }),
  ),
  alphaSearch: z.array(
    z.object({
      alpha: z.number(),
      per: z.enum(["token", "tensor"]),
      kl: finiteOrNull,
      perplexity: finiteOrNull,
    }),
  ),
});

export const thresholdSearchReport = z.object({
  experiment: z.literal("threshold-search"),
  ...facts,
  bits,
  granularity: granularityText,
  scope: z.enum(["model", "tensor"]),
  by: z.enum(["weight-error", "output-error"]).nullable(),
  trials: z.array(
    z.object({
      range: rangeRule.nullable(),
      /** Null for a whole-model trial. */
      tensor: z.string().nullable(),
      /** KL on the calibration text, or the tensor's relative error. */
      loss: finiteOrNull,
      best: z.boolean(),
    }),
  ),
  /** Why it ended before everything was tried; null = everything was. */
  stopped: z.string().nullable(),
  /** The found recipe as plain JSON, ready for sweep and export, and both texts' figures beside plain rounding. */
  recipe: z.unknown().nullable(),
  result: z
    .object({
      calibration: z.object({ kl: klReport.nullable(), perplexity: finiteOrNull }),
      test: scores,
      plain: scores,
      original: scores,
      bitsPerWeight: z.number(),
    })
    .nullable(),
});

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
  finding: z.string(),
  /** Whether it was cancelled on its way, and holds what was measured until then. */
  cancelled: z.boolean().default(false),
  /** Whether it failed on its way, likewise. */
  failed: z.boolean().default(false),
});
export type LabSummary = z.infer<typeof labSummary>;

/** A kept experiment: what was asked and what came of it. */
export const labResult = z.object({ summary: labSummary, request: labRequest, report: labReport });
export type LabResult = z.infer<typeof labResult>;

/** Titles as the screen, the command line and the report say them, with the paper's place. */
export const EXPERIMENTS: Readonly<
  Record<ExperimentName, { title: string; paper: string; question: string }>
> = {
  importance: {
    title: "Importance",
    paper: "Table 1",
    question:
      "What does the model lose without its super weights, and what without far more ordinary outliers?",
  },
  "super-activations": {
    title: "Super activations",
    paper: "Figures 3 and 4",
    question: "Does the massive activation stay in one channel and position, through all layers and prompts?",
  },
  "token-probabilities": {
    title: "Token probabilities",
    paper: "Figure 5",
    question: "Which next tokens gain and lose without the super weights? Are they stop words?",
  },
  sensitivity: {
    title: "Sensitivity",
    paper: "Figure 6",
    question: "What happens as the super weights are scaled from 0 to 3?",
  },
  "block-scaling": {
    title: "Block scaling",
    paper: "Figure 7",
    question: "How large may blocks grow when super weights are restored and other outliers clipped?",
  },
  activations: {
    title: "Activations",
    paper: "Tables 3 and 4",
    question: "What do 8-bit activations cost, and what does keeping the super activation buy?",
  },
  "threshold-search": {
    title: "Threshold search",
    paper: "section 4.2",
    question: "Which clip, and which threshold, suits this model at this block size?",
  },
};
