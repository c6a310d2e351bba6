import type { Coordinate } from "#shared/recipe.ts";
import type { Convention } from "#shared/evaluation.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { LabReached } from "#shared/lab/reports/facts.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import type { LabRun } from "./experiment.ts";

/**
 * What stands in every report of a run, less what it found out.
 * @param begin as performance.now() gave it
 * @param reached how many of its points the report holds
 */
export function labFacts(run: LabRun, convention: Convention, begin: number, reached: LabReached) {
  const { checkpoint, superWeights, forward, request } = run;
  return {
    model: checkpoint.path,
    modelName: modelName(checkpoint.path),
    fingerprint: checkpoint.fingerprint,
    text: request.text,
    calibration: request.calibration,
    taskLimit: request.taskLimit,
    convention,
    superWeights: superWeights.map((coordinate): Coordinate => [...coordinate]),
    device: forward.device.used,
    seconds: (performance.now() - begin) / 1000,
    cancelled: false,
    failed: null,
    reached,
  };
}

/** @throws KeystoneError lab/no-super-weights: the experiment has nothing to change */
export function requireSuperWeights({ superWeights, checkpoint }: LabRun): void {
  if (superWeights.length > 0) return;
  throw new KeystoneError(
    "lab/no-super-weights",
    `${modelName(checkpoint.path)} has no super weight that detection finds: there is nothing to prune, keep or scale.`,
    "Look at detect's candidates and their reasons; block scaling and the threshold search run without super weights.",
    { model: checkpoint.path },
  );
}
