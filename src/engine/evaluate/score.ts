import { KeystoneError } from "#shared/errors.ts";
import type { Scores } from "#shared/evaluation.ts";
import { cutBlocks } from "./blocks.ts";
import { confidenceOf, type TokenFigures } from "./confidence.ts";
import { planBatches, scoredLabels, type BatchPlan } from "./stream/hiddenStates.ts";
import { headUnits } from "./stream/headUnits.ts";
import { judgeLanes, judgingUnits, readHead } from "./stream/judgeHead.ts";
import { createMeter } from "./stream/meter.ts";
import { summarize } from "./metrics.ts";
import { layerPasses, streamLayers, type Lane } from "./stream/streamLayers.ts";
import type { Engine, Watch } from "./stream/engine.ts";
import type { OriginalReference, VariantScore } from "./stream/scoring.ts";
import type { Variant } from "./stream/variant.ts";
import type { WindowSet } from "./windows/windowSet.ts";

/** What a pass counts its progress in. */
export const UNIT = "tokens·layers";

export interface ScoreRequest extends Engine, Watch {
  readonly windows: WindowSet;
  /** Also 95% intervals, and sums over blocks of the text. */
  readonly confidence?: boolean;
}

export interface OriginalRequest extends ScoreRequest {
  /** Also keep what variants' layer errors are measured against. */
  readonly trajectory?: boolean;
}

export interface WaveRequest extends ScoreRequest {
  readonly variants: readonly Variant[];
  /** From {@link scoreOriginal} over the same windows. */
  readonly reference: OriginalReference;
  /** Also NLL and KL of every scored token. */
  readonly perToken?: boolean;
}

/** What {@link scoreOriginal} counts over these windows. */
export function originalUnits({ architecture }: Pick<Engine, "architecture">, plan: BatchPlan): number {
  return plan.tokens * architecture.facts.layers + plan.scored * headUnits(architecture);
}

/** What {@link scoreWave} counts over these windows. */
export function waveUnits(
  engine: Pick<Engine, "architecture">,
  plan: BatchPlan,
  variants: readonly Variant[],
): number {
  const passes = layerPasses(engine, variants, { original: false });
  return plan.tokens * passes + judgingUnits(engine, variants, plan.scored);
}

/**
 * Scores the original and keeps its final hidden states for the comparison with variants. All weights are checked on the way.
 * @throws KeystoneError checkpoint/not-finite, job/cancelled
 */
export async function scoreOriginal(request: OriginalRequest): Promise<OriginalReference> {
  const { windows } = request;
  const plan = planBatches(windows);
  const keepTrajectory = request.trajectory ?? false;
  const options = { original: true, keepTrajectory, checkFinite: true };
  const meter = createMeter(originalUnits(request, plan), UNIT, request);
  const { original, trajectory } = await streamLayers(request, plan, [], options, meter, request);
  if (original === null) throw new Error("the original was asked for, but no hidden states came");
  const { nll } = await request.forward.score(original, scoredLabels(plan), await readHead(request));
  await meter.advance(plan.scored * headUnits(request.architecture), "output head");
  return {
    hidden: original,
    nll,
    scores: withConfidence(summarize(nll, windows), { nll }, request),
    ...(keepTrajectory ? { trajectory } : {}),
  };
}

/**
 * Scores variants against the original in one pass over the checkpoint. Memory: one layer in f32 as stored, one as a
 * variant changes it, and each variant's hidden states.
 * @throws KeystoneError job/cancelled, score/other-windows; what goes wrong in one variant's weights is that variant's `error`
 */
export async function scoreWave(request: WaveRequest): Promise<VariantScore[]> {
  const { windows, variants, reference, architecture } = request;
  const plan = planBatches(windows);
  if (reference.hidden.length !== plan.scored * architecture.facts.hiddenSize)
    throw otherWindows(reference, plan.scored);
  const options = { original: false, trajectory: reference.trajectory, checkFinite: false };
  const meter = createMeter(waveUnits(request, plan, variants), UNIT, request);
  const { lanes } = await streamLayers(request, plan, variants, options, meter, request);
  const figures = await judgeLanes(request, lanes, reference.hidden, scoredLabels(plan), meter);
  return lanes.map((lane) => variantScore(lane, figures.get(lane), request));
}

function variantScore(
  lane: Lane,
  figures: { nll: Float32Array; kl: Float32Array; topAgrees: Float32Array } | undefined,
  request: WaveRequest,
): VariantScore {
  const made = {
    id: lane.variant.id,
    tensors: lane.weights.errors(),
    sqnrDb: lane.weights.sqnrDb(),
    layers: lane.layers,
    seconds: lane.seconds,
  };
  if (lane.error || !figures) return { ...made, scores: null, ...(lane.error ? { error: lane.error } : {}) };
  const { nll, kl } = figures;
  const tokens = { ...figures, originalNll: request.reference.nll };
  return {
    ...made,
    scores: withConfidence(summarize(nll, request.windows, figures), tokens, request),
    ...(request.perToken ? { perToken: { nll, kl } } : {}),
  };
}

/** The scores with how sure they are, where that is asked for and the text is long enough. */
export function withConfidence(
  scores: Scores,
  figures: TokenFigures,
  { windows, confidence }: Pick<ScoreRequest, "windows" | "confidence">,
): Scores {
  const blocks = confidence && !scores.notFinite ? cutBlocks(windows) : null;
  const sure = blocks && confidenceOf(blocks, figures);
  return sure ? { ...scores, confidence: sure } : scores;
}

function otherWindows(reference: OriginalReference, scored: number): KeystoneError {
  return new KeystoneError(
    "score/other-windows",
    `The original was scored on ${reference.nll.length} tokens, but the variants are to be judged on ${scored}.`,
    "Score the original on the same text and windows.",
    { original: reference.nll.length, variants: scored },
  );
}
