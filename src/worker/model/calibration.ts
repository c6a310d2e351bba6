import { calibrate } from "#engine/evaluate/stream/calibrate.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { OpenModel } from "./openModel.ts";
import type { CalibrationText } from "../protocol/task.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/** Most tokens of a calibration text that are used: their hidden states are in memory together. */
export const CALIBRATION_TOKENS = 32_768;

/**
 * The channels' maxima on the calibration text, cut as the judged one is and as long at most; null without one.
 * @throws KeystoneError text/…, and what calibration throws
 */
export async function maximaFor(
  model: OpenModel,
  calibration: CalibrationText | null,
  watch: Watch,
): Promise<ActivationMaxima | null> {
  if (calibration === null) return null;
  const { text, judge } = calibration;
  const tokens = Math.min(judge.tokens ?? Infinity, CALIBRATION_TOKENS);
  return calibrate({ ...model, ...watch, windows: await windowsOf(model, text, { ...judge, tokens }) });
}
