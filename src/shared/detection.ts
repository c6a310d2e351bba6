import { note } from "./notes.ts";
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
  /** Runs of the prompt: the unmodified model, then with candidates zeroed, to see what they hid. */
  maxPasses: z.number().int().min(1).max(64).default(6),
  /** From where an output stands out, so that what makes it becomes a candidate. */
  threshold: spikeThreshold.default({ kind: "relative", factor: 4 }),
  /** Least part of an output that one product must give. */
  minShare: z.number().min(0).max(2).default(0.4),
  /** Measure what each candidate is worth; without it the verdicts rest on evidence alone. */
  effect: z.boolean().default(true),
  /** A super weight's KL is at least this part of what the model knows: KL(model ‖ uniform) on the same text … */
  minEffect: z.number().min(0).max(1).default(0.03),
  /** … and this many times the largest KL of the other weights that were tried. */
  nullFactor: z.number().min(1).default(10),
  /** Random weights, and as many of the largest magnitude, that are tried for comparison. */
  nullWeights: z.number().int().min(1).max(64).default(4),
  /** Candidates that are measured at most, the strongest of every layer first; what is left out is said. */
  maxCandidates: z.number().int().min(1).max(256).default(32),
});
export type DetectOptions = z.infer<typeof detectOptions>;

/** Largest absolute value of one tap of one layer, with its sign and place. */
export const peak = z.object({
  value: z.number(),
  token: z.number().int(),
  channel: z.number().int(),
  /** Whose tap it is, where each expert has its own. */
  expert: z.number().int().optional(),
});
export type Peak = z.infer<typeof peak>;

export const layerPeaks = z.object({
  layer: z.number().int(),
  input: peak,
  output: peak,
  residual: peak,
});
export type LayerPeaks = z.infer<typeof layerPeaks>;

/** KL(original ‖ changed), and the change of the mean NLL; nats per predicted token. */
export const change = z.object({ kl: finiteOrNull, nllChange: finiteOrNull });
export type Change = z.infer<typeof change>;

/** What the model loses without a weight, on the text of {@link DetectReport.judged}. */
export const effect = change.extend({
  /** With the weight zeroed, and the original's. */
  perplexity: finiteOrNull,
  baseline: finiteOrNull,
  /** Mean NLL with the weight zeroed. */
  nll: finiteOrNull,
  tokens: z.number(),
  /** With the weight at half its value; measured for those that matter. */
  half: change.nullable(),
  /** With its whole column zeroed (a neuron's whole output), and its whole row (everything the layer adds to one channel). */
  column: change.nullable(),
  row: change.nullable(),
  /** The largest effect of the other weights that were tried: random ones and the largest by magnitude. */
  null: change,
});
export type Effect = z.infer<typeof effect>;

/**
 * `super`: far beyond the null, alone. `together`: little alone, much with the others of its column or with its pair.
 * `cancelling`: takes away what the residual stream carries. `spike-without-effect`: a large output that nothing depends on.
 * `none`: a large output without a single weight behind it. `unmeasured`: effects were not asked for.
 */
export const verdict = z.enum([
  "super",
  "together",
  "spike-without-effect",
  "cancelling",
  "none",
  "unmeasured",
]);
export type Verdict = z.infer<typeof verdict>;

/** Where the largest output of a weight's row lies when the prompt is led by BOS, and when it is not. */
export const carrier = z.object({
  bos: z.boolean(),
  token: z.number().int(),
  text: z.string(),
  input: z.number(),
  output: z.number(),
});
export type Carrier = z.infer<typeof carrier>;

export const candidate = z.object({
  layer: z.number().int(),
  row: z.number().int(),
  column: z.number().int(),
  /** Whose down_proj it is in, in a layer with experts. */
  expert: z.number().int().optional(),
  tensor: z.string(),
  value: z.number(),
  inputActivation: z.number(),
  outputActivation: z.number(),
  /** W·X: what this one weight adds to the output; of an expert, times the router's share. */
  contribution: z.number(),
  /** contribution / outputActivation. */
  share: z.number(),
  token: z.number().int(),
  /** 1: seen in the unmodified model. Later: seen only with other weights zeroed, named in `after`. */
  pass: z.number().int(),
  /** The weights that were zero when it was first seen; empty in the unmodified model. */
  after: z.array(coordinate),
  /** 1 + the number of weights of larger |w| in the tensor. */
  rank: z.number().int(),
  /** |w| as a multiple of the tensor's standard deviation. */
  sigma: z.number(),
  /** |outputActivation| / the unmodified model's median layer maximum. */
  timesMedian: z.number(),
  /** What the residual stream carries into the layer at the same token and channel. */
  carried: z.number(),
  /** Weight of the norm in front of the MLP at channel `row`, and the median over channels; null where that norm has none. */
  normGain: z.object({ value: z.number(), median: z.number() }).nullable(),
  carriers: z.array(carrier),
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

/** The candidates of one column (one neuron's output) as one: spokes may be harmless alone and matter together. */
export const columnGroup = z.object({
  layer: z.number().int(),
  column: z.number().int(),
  expert: z.number().int().optional(),
  spokes: z.array(coordinate),
  /** The whole column zeroed; the found spokes zeroed; the spokes without the strongest one. */
  whole: change,
  spokesTogether: change.nullable(),
  rest: change.nullable(),
});
export type ColumnGroup = z.infer<typeof columnGroup>;

/** Two weights zeroed together. `masks`: much less is lost than with one alone; `compensate`: much more than the sum. */
export const pairEffect = z.object({
  first: coordinate,
  second: coordinate,
  both: change,
  /** KL of each alone. */
  alone: z.tuple([finiteOrNull, finiteOrNull]),
  kind: z.enum(["masks", "compensate", "independent"]),
});
export type PairEffect = z.infer<typeof pairEffect>;

/** One of the weights that were tried for comparison. */
export const otherWeight = z.object({
  tensor: z.string(),
  row: z.number().int(),
  column: z.number().int(),
  value: z.number(),
  chosen: z.enum(["random", "largest"]),
  kl: finiteOrNull,
  nllChange: finiteOrNull,
});
export type OtherWeight = z.infer<typeof otherWeight>;

/** On what text effects were measured, and what they are judged against. */
export const judgedOn = z.object({
  /** Name of the text. */
  text: z.string(),
  tokens: z.number().int(),
  nll: finiteOrNull,
  perplexity: finiteOrNull,
  /** KL(model ‖ uniform), nats per token: what the model knows of the text beyond chance. */
  information: z.number(),
  /** Least KL of a super weight: the larger of minEffect × information and nullFactor × null. */
  thresholdKl: z.number(),
  /** The largest effect among `others`. */
  null: change,
  /** All candidates of the unmodified model zeroed together, the cancelling ones left in place. */
  allTogether: change.nullable(),
});
export type JudgedOn = z.infer<typeof judgedOn>;

/** What others published about a weight, row or column of this model. */
export const publishedResult = z.object({
  source: z.string(),
  model: z.string(),
  grain: z.enum(["weight", "row", "column"]),
  /** Null where the source does not say which of its coordinates was measured. */
  layer: z.number().int().nullable(),
  row: z.number().int().nullable(),
  column: z.number().int().nullable(),
  /** What was measured there, in its own words and unit; null where only the place is published. */
  measure: z.string().nullable(),
  value: z.number().nullable(),
  note: z.string().nullable(),
});
export type PublishedResult = z.infer<typeof publishedResult>;

export const detectPass = z.object({
  pass: z.number().int(),
  /** First layer that was run again; 0 for the first pass. */
  fromLayer: z.number().int(),
  layers: z.array(layerPeaks),
  /** The weights that are zero in this pass; none in the first. */
  zeroed: z.array(coordinate),
});
export type DetectPass = z.infer<typeof detectPass>;

/** The largest value of the residual stream behind any layer, on the prompt. */
export const maximumActivation = peak.extend({ layer: z.number().int(), text: z.string() });
export type MaximumActivation = z.infer<typeof maximumActivation>;

/** An expert whose down_proj gives an output far beyond those of nearly all others [arXiv:2507.23279]. */
export const superExpert = z.object({
  layer: z.number().int(),
  expert: z.number().int(),
  /** What its tensors' names begin with; a recipe that ignores `MODULE.*` leaves it unquantized. */
  module: z.string(),
  /** Tokens of the prompt that it got. */
  tokens: z.number().int(),
  /** Its largest output, before the router's share. */
  output: peak,
  /** |output| / the median over the experts that the prompt reached. */
  timesMedian: z.number(),
  /** With the whole expert zeroed; null where it was not measured. */
  effect: change.nullable(),
});
export type SuperExpert = z.infer<typeof superExpert>;

/** What the prompt shows of a model's experts; of one that no token reached, nothing is known. */
export const expertsReport = z.object({
  /** Of all layers. */
  total: z.number().int(),
  reached: z.number().int(),
  /** From where an output makes a super expert: the larger of the 99.5th percentile and a tenth of the largest. */
  thresholdOutput: z.number(),
  medianOutput: z.number(),
  /** The largest output first. */
  superExperts: z.array(superExpert),
});
export type ExpertsReport = z.infer<typeof expertsReport>;

export const detectReport = z.object({
  model: z.string(),
  fingerprint: z.string(),
  /** Of the files it was found in: it is not served for others, however alike. */
  revision: z.string(),
  options: detectOptions,
  /** The answer in one or two sentences. */
  finding: note,
  tokens: z.array(z.object({ id: z.number().int(), text: z.string() })),
  /** Verdict super or together, the largest effect first; without effects, what the evidence proposes. */
  superWeights: z.array(candidate),
  /** All others, the largest effect first; those that were not measured come last. */
  candidates: z.array(candidate),
  columns: z.array(columnGroup),
  pairs: z.array(pairEffect),
  /** Weights tried for comparison; the largest by magnitude among them are large and harmless. */
  others: z.array(otherWeight),
  /** Null where effects were not asked for. */
  judged: judgedOn.nullable(),
  maximum: maximumActivation,
  /** Null where no layer has experts. */
  experts: expertsReport.nullable().default(null),
  publishedResults: z.array(publishedResult),
  /** Open questions because work was cut short, one sentence each. */
  open: z.array(z.string()),
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

/** Live while detection runs: what is known so far. */
export const detectPreview = z.object({
  layers: z.array(layerPeaks),
  candidates: z.array(candidate),
});
export type DetectPreview = z.infer<typeof detectPreview>;
