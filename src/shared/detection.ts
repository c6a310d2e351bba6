import { z } from "zod";
import { coordinate } from "./recipe.ts";
import { finiteOrNull } from "./numbers.ts";

/** The paper's prompt. */
export const DEFAULT_PROMPT = "Apple Inc. is a worldwide tech company.";

/** `relative`: |Y| ≥ factor × the unmodified model's median layer maximum. `absolute`: the paper's, |X| and |Y| > value. */
export const spikeThreshold = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("relative"), factor: z.number().positive() }),
  z.strictObject({ kind: z.literal("absolute"), value: z.number().positive() }),
]);
export type SpikeThreshold = z.infer<typeof spikeThreshold>;

export const detectOptions = z.strictObject({
  prompt: z.string().min(1).default(DEFAULT_PROMPT),
  maxPasses: z.number().int().min(1).max(64).default(12),
  threshold: spikeThreshold.default({ kind: "relative", factor: 8 }),
  minShare: z.number().min(0).max(2).default(0.5),
});
export type DetectOptions = z.infer<typeof detectOptions>;

/** Largest absolute value of one tap of one layer, with its sign and place. */
export const peak = z.object({ value: z.number(), token: z.number().int(), channel: z.number().int() });
export type Peak = z.infer<typeof peak>;

export const layerPeaks = z.object({
  layer: z.number().int(),
  input: peak,
  output: peak,
  residual: peak,
});
export type LayerPeaks = z.infer<typeof layerPeaks>;

/** Perplexity and KL divergence (nats) with the weight zeroed, and the original's perplexity on the same text. */
export const effect = z.object({
  perplexity: finiteOrNull,
  baseline: finiteOrNull,
  kl: finiteOrNull,
  tokens: z.number(),
});
export type Effect = z.infer<typeof effect>;

/** Why a weight behind a spike was or was not accepted. */
export const verdict = z.enum([
  "super-weight",
  "different-token",
  "below-threshold",
  "small-share",
  "cancelling",
  "no-suppression",
  "pass-limit",
]);
export type Verdict = z.infer<typeof verdict>;

export const candidate = z.object({
  layer: z.number().int(),
  row: z.number().int(),
  column: z.number().int(),
  tensor: z.string(),
  value: z.number(),
  inputActivation: z.number(),
  outputActivation: z.number(),
  /** W·X: what this one weight adds to the output. */
  contribution: z.number(),
  /** contribution / outputActivation. */
  share: z.number(),
  token: z.number().int(),
  pass: z.number().int(),
  /** 1 + the number of weights of larger |w| in the tensor. */
  rank: z.number().int(),
  /** |w| as a multiple of the tensor's standard deviation. */
  sigma: z.number(),
  /** |outputActivation| / the unmodified model's median layer maximum. */
  timesMedian: z.number(),
  /** Name of the published model whose directory entry this coordinate matches, or null. */
  published: z.string().nullable(),
  /** The largest other products in the same sum: column and W·X. */
  nextLargest: z.array(z.object({ column: z.number().int(), contribution: z.number() })),
  verdict,
  /** The verdict in one sentence, with its numbers. */
  reason: z.string(),
  effect: effect.optional(),
});
export type Candidate = z.infer<typeof candidate>;

export const detectPass = z.object({
  pass: z.number().int(),
  /** First layer that was run again; 0 for the first pass. */
  fromLayer: z.number().int(),
  layers: z.array(layerPeaks),
  /** The weight zeroed after this pass, or null in the last. */
  zeroed: coordinate.nullable(),
});
export type DetectPass = z.infer<typeof detectPass>;

export const detectReport = z.object({
  model: z.string(),
  fingerprint: z.string(),
  /** Of the files it was found in: it is not served for others, however alike. */
  revision: z.string(),
  options: detectOptions,
  tokens: z.array(z.object({ id: z.number().int(), text: z.string() })),
  superWeights: z.array(candidate),
  /** Weaker or refused weights behind the next largest spikes, with the reason. */
  candidates: z.array(candidate),
  /** The unmodified model's layer maxima: what the paper's figures plot. */
  layers: z.array(layerPeaks),
  passes: z.array(detectPass),
  /** Unmodified model's median over layers of max |Y|, and the threshold that follows from it. */
  medianOutput: z.number(),
  thresholdOutput: z.number(),
  device: z.string(),
  seconds: z.number(),
  peakRssBytes: z.number(),
});
export type DetectReport = z.infer<typeof detectReport>;
