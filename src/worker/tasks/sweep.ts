import { toErrorData } from "#shared/errors.ts";
import type { Scores } from "#shared/evaluation.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { VariantScore } from "#engine/evaluate/stream/scoring.ts";
import { maximaFor } from "../model/calibration.ts";
import { openModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { Baseline, TaskFields, VariantOutcome, VariantRequest } from "../protocol/task.ts";
import { planVariant, type PlannedVariant } from "../model/variants.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";
import { shareFloats, shareWindows } from "../model/sharedArrays.ts";

/** The original on the text: its scores, and what variants are compared with, in shared memory. */
export async function baselineTask(
  { model: handle, text, judge, calibration }: TaskFields<"baseline">,
  talk: Talk,
): Promise<Baseline> {
  const model = await openModel(handle);
  const windows = shareWindows(await windowsOf(model, text, judge));
  const first = calibration ? 1 : 0;
  const maxima = await maximaFor(model, calibration, talk.pass(0, first + 1));
  const original = await scoreOriginal({
    ...model,
    windows,
    trajectory: true,
    confidence: true,
    ...talk.pass(first, first + 1),
  });
  return {
    maxima,
    windows,
    original: { ...original, hidden: shareFloats(original.hidden), nll: shareFloats(original.nll) },
    device: model.forward.device,
  };
}

/** Some variants in one pass over the checkpoint; each is told by itself, also the one that cannot be made. */
export async function waveTask(
  { model: handle, baseline, variants }: TaskFields<"wave">,
  talk: Talk,
): Promise<null> {
  const model = await openModel(handle);
  const post = (outcome: VariantOutcome): void => talk.post({ type: "variant", outcome });
  const planned = variants.flatMap((request) =>
    planOrPost(() => planVariant(model, request, baseline.maxima), request, post),
  );
  if (planned.length === 0) return null;
  const scores = await scoreWave({
    ...model,
    windows: baseline.windows,
    reference: baseline.original,
    variants: planned.map(({ variant }) => variant),
    confidence: true,
    ...talk.watch,
  });
  scores.forEach((score, i) => post(outcomeOf(score, planned[i])));
  return null;
}

function planOrPost(
  plan: () => PlannedVariant,
  { id }: VariantRequest,
  post: (outcome: VariantOutcome) => void,
): PlannedVariant[] {
  try {
    return [plan()];
  } catch (error) {
    post({ ok: false, id, error: toErrorData(error) });
    return [];
  }
}

function outcomeOf(score: VariantScore, planned: PlannedVariant): VariantOutcome {
  const { id, scores, error, tensors, layers } = score;
  if (!scores) return { ok: false, id, error: error ?? toErrorData(new Error("The variant has no scores.")) };
  return {
    ok: true,
    id,
    scores: {
      ...columnsOf(scores),
      bitsPerWeight: planned.bitsPerWeight,
      fileBitsPerWeight: planned.fileBitsPerWeight,
      sqnrDb: score.sqnrDb,
      seconds: score.seconds,
    },
    detail: { id, tensors: [...tensors], layers: [...layers] },
  };
}

function columnsOf({ perplexity, nll, tokens, kl, confidence, notFinite }: Scores) {
  return {
    ...{ perplexity, nll, tokens, kl: kl ?? null },
    ...(confidence ? { confidence } : {}),
    ...(notFinite ? { notFinite } : {}),
  };
}
