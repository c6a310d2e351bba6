import { KeystoneError } from "#shared/errors.ts";
import { EXPERIMENTS, type ExperimentName, type LabReport } from "#shared/lab.ts";
import { activations } from "./activations.ts";
import { blockScaling } from "./blockScaling.ts";
import { importance } from "./importance.ts";
import { sensitivity } from "./sensitivity.ts";
import { superActivations } from "./superActivations.ts";
import { thresholdSearch } from "./thresholdSearch.ts";
import { tokenProbabilities } from "./tokenProbabilities.ts";
import { checkSplit } from "./texts.ts";
import type { Experiment, LabRun } from "./types.ts";

/** One file an experiment. */
const experiments: { readonly [E in ExperimentName]?: Experiment<E> } = {
  importance,
  "super-activations": superActivations,
  "token-probabilities": tokenProbabilities,
  sensitivity,
  "block-scaling": blockScaling,
  activations,
  "threshold-search": thresholdSearch,
};

/**
 * Runs the experiment that the request names.
 * @throws KeystoneError lab/…, usage/calibration-is-text, and what scoring throws
 */
export async function runExperiment(run: LabRun): Promise<LabReport> {
  const { experiment } = run.request;
  const conduct = experiments[experiment] as ((run: LabRun) => Promise<LabReport>) | undefined;
  if (!conduct) throw unknownExperiment(experiment);
  await checkSplit(run.request);
  return conduct(run);
}

function unknownExperiment(experiment: ExperimentName): KeystoneError {
  return new KeystoneError(
    "lab/unknown-experiment",
    `${EXPERIMENTS[experiment].title} cannot be run by this version.`,
    "Choose another experiment.",
    { experiment },
  );
}
