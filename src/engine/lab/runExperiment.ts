import type { ExperimentName, LabReport } from "#shared/lab/index.ts";
import { activations } from "./experiments/activations.ts";
import { blockScaling } from "./experiments/blockScaling.ts";
import { importance } from "./experiments/importance.ts";
import { sensitivity } from "./experiments/sensitivity.ts";
import { superActivations } from "./experiments/superActivations.ts";
import { thresholdSearch } from "./experiments/thresholdSearch.ts";
import { tokenProbabilities } from "./experiments/tokenProbabilities.ts";
import { checkSplit } from "./run/texts.ts";
import type { Experiment, LabRun } from "./run/experiment.ts";

/** One file an experiment; one that is missing does not compile. */
const experiments: { readonly [E in ExperimentName]: Experiment<E> } = {
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
  const runNamed = experiments[experiment] as (run: LabRun) => Promise<LabReport>;
  await checkSplit(run.request);
  return runNamed(run);
}
