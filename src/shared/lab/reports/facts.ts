import { note } from "./notes.ts";
import { z } from "zod";
import { ablationRow, convention, klReport, scores, taskReport } from "./evaluation.ts";
import { finiteOrNull } from "./numbers.ts";
import { coordinate, granularityText, rangeRule } from "./recipe.ts";

/** Of weights, as the experiments take and report them. */
export const bits = z.number().int().min(2).max(8);

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
  finding: note,
  /** What the reader must know: what was counted out, what could not be shown. One sentence each. */
  notes: z.array(note),
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
