import type { DetectOptions, Verdict } from "#shared/detection.ts";
import type { LayerEvidence } from "./evidence.ts";

/** The figures of the unmodified model that every pass is judged against. */
export interface Yardstick {
  readonly options: DetectOptions;
  /** Median over layers of max |Y|. */
  readonly medianOutput: number;
  /** |Y| from which an output counts as a spike. */
  readonly thresholdOutput: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** The threshold on |Y| that the options and the unmodified model's median give. */
export function yardstick(options: DetectOptions, medianOutput: number): Yardstick {
  const { threshold } = options;
  return {
    options,
    medianOutput,
    thresholdOutput: threshold.kind === "absolute" ? threshold.value : threshold.factor * medianOutput,
  };
}

/**
 * The default rule: a spike (|Y| against the unmodified model's median layer maximum), the largest input and output on one
 * token, and one weight that gives at least `minShare` of the output. The verdict comes with its reason in one sentence.
 */
export function judgeLayer(evidence: LayerEvidence, measure: Yardstick): Judgement {
  const spike = isSpike(evidence, measure);
  if (!spike) return { verdict: "below-threshold", reason: belowThreshold(evidence, measure) };
  const sameToken = evidence.peaks.input.token === evidence.peaks.output.token;
  if (sameToken && evidence.weight.share >= measure.options.minShare)
    return { verdict: "super-weight", reason: accepted(evidence, measure) };
  if (isCancelling(evidence, measure)) return { verdict: "cancelling", reason: cancelling(evidence) };
  if (!sameToken) return { verdict: "different-token", reason: differentToken(evidence, measure) };
  return { verdict: "small-share", reason: smallShare(evidence, measure) };
}

/** Whether a layer's maxima stand out at all. */
export function isSpike(
  { peaks }: Pick<LayerEvidence, "peaks">,
  { options, thresholdOutput }: Yardstick,
): boolean {
  const output = Math.abs(peaks.output.value);
  if (options.threshold.kind === "relative") return output >= thresholdOutput;
  return output > thresholdOutput && Math.abs(peaks.input.value) > thresholdOutput;
}

/** A layer that takes away what the residual stream carries at the same channel and token. */
function isCancelling(
  { weight: { outputActivation }, carried }: LayerEvidence,
  { thresholdOutput }: Yardstick,
): boolean {
  return Math.abs(carried) >= thresholdOutput && Math.sign(carried) === -Math.sign(outputActivation);
}

function accepted(evidence: LayerEvidence, measure: Yardstick): string {
  const also = isCancelling(evidence, measure)
    ? ` It is opposite in sign to the ${figure(evidence.carried)} that the residual stream carries there.`
    : "";
  return `The output ${figure(evidence.weight.outputActivation)} is ${times(evidence, measure)}, on the token of the largest input, and this weight alone gives ${percent(evidence.weight.share)} of it.${also}`;
}

function belowThreshold(evidence: LayerEvidence, measure: Yardstick): string {
  const { peaks, weight } = evidence;
  if (measure.options.threshold.kind === "absolute") {
    const limit = figure(measure.thresholdOutput);
    return `The largest input is ${figure(peaks.input.value)} and the largest output ${figure(peaks.output.value)}; both must pass ${limit}.`;
  }
  const needed = `a spike needs ${measure.options.threshold.factor} × (${figure(measure.thresholdOutput)})`;
  return `The output ${figure(weight.outputActivation)} is ${times(evidence, measure)}; ${needed}.`;
}

function cancelling({ weight: { outputActivation, share }, carried }: LayerEvidence): string {
  return `The output ${figure(outputActivation)} is opposite in sign to the super activation ${figure(carried)} that the residual stream carries at the same channel and token: this layer cancels it, and the weight gives ${percent(share)} of the output.`;
}

function differentToken(
  { peaks, weight: { outputActivation } }: LayerEvidence,
  { medianOutput }: Yardstick,
): string {
  return `The largest output ${figure(outputActivation)} (${figure(Math.abs(outputActivation) / medianOutput)} × the median) is at token ${peaks.output.token}, the largest input at token ${peaks.input.token}: one product does not make it.`;
}

function smallShare(evidence: LayerEvidence, measure: Yardstick): string {
  return `The output ${figure(evidence.weight.outputActivation)} is ${times(evidence, measure)}, but this weight gives ${percent(evidence.weight.share)} of it; a super weight gives at least ${percent(measure.options.minShare)}.`;
}

function times({ weight: { outputActivation } }: LayerEvidence, { medianOutput }: Yardstick): string {
  return `${figure(Math.abs(outputActivation) / medianOutput)} × the median layer maximum`;
}

/** Four significant digits, thousands separated, a true minus sign. */
export function figure(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 }).replace("-", "−");
}

function percent(share: number): string {
  return `${figure(Number((100 * share).toPrecision(3)))} %`;
}
