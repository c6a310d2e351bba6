import type { EvalReport } from "#shared/evaluation.ts";
import { KeystoneError } from "#shared/errors.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { openModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";
import { maximaFor } from "../model/calibration.ts";
import { planVariant } from "../model/variants.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/** The original, or a variant beside it, on a text. */
export async function evaluateTask(
  { model: handle, text, judge, variant: request, calibration }: TaskFields<"evaluate">,
  talk: Talk,
): Promise<EvalReport> {
  const begin = performance.now();
  const model = await openModel(handle);
  const windows = await windowsOf(model, text, judge);
  const first = calibration ? 1 : 0;
  const passes = first + (request ? 2 : 1);
  const maxima = await maximaFor(model, calibration, talk.pass(0, passes));
  const planned = request && planVariant(model, request, maxima);
  const reference = await scoreOriginal({ ...model, windows, confidence: true, ...talk.pass(first, passes) });
  const [score = null] = planned
    ? await scoreWave({
        ...model,
        windows,
        reference,
        variants: [planned.variant],
        confidence: true,
        ...talk.pass(first + 1, passes),
      })
    : [];
  if (score?.error) throw KeystoneError.fromData(score.error);
  return {
    ...(score?.scores ?? reference.scores),
    model: handle.path,
    text,
    convention: windows.convention,
    calibration: calibration?.text ?? null,
    recipe: request?.recipe ?? null,
    recipeId: request?.id ?? null,
    bitsPerWeight: planned?.bitsPerWeight ?? null,
    fileBitsPerWeight: planned?.fileBitsPerWeight ?? null,
    sqnrDb: score?.sqnrDb ?? null,
    tensors: [...(score?.tensors ?? [])],
    notes: [...(planned?.notes ?? []), ...((await model.tokenizer()).notes ?? [])],
    baseline: planned ? reference.scores : null,
    device: model.forward.device.used,
    seconds: (performance.now() - begin) / 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}
