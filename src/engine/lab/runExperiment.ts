import { KeystoneError } from "#shared/errors.ts";
import { EXPERIMENTS, type ExperimentName, type LabReport } from "#shared/lab.ts";
import { importance } from "./importance.ts";
import type { Experiment, LabRun } from "./types.ts";

/** One file an experiment. */
const experiments: { readonly [E in ExperimentName]?: Experiment<E> } = { importance };

/** Runs the experiment that the request names. @throws KeystoneError lab/…, and what scoring throws */
export async function runExperiment(run: LabRun): Promise<LabReport> {
  const { experiment } = run.request;
  const conduct = experiments[experiment] as ((run: LabRun) => Promise<LabReport>) | undefined;
  if (conduct) return conduct(run);
  throw new KeystoneError(
    "lab/unknown-experiment",
    `${EXPERIMENTS[experiment].title} cannot be run by this version.`,
    "Choose another experiment.",
    { experiment },
  );
}
