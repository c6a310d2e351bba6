import type { ExperimentName, LabReport, LabReportOf } from "#shared/lab/index.ts";
import { activations, blockScaling, thresholdSearch } from "./madeUp/quantization.ts";
import { importance, sensitivity, superActivations, tokenProbabilities } from "./madeUp/superWeights.ts";

/** Made-up reports, one an experiment: small, whole, and with the odd values that charts must bear. */
export const LAB_REPORTS: readonly LabReport[] = [
  importance,
  superActivations,
  tokenProbabilities,
  sensitivity,
  blockScaling,
  activations,
  thresholdSearch,
];

export function labReportOf<E extends ExperimentName>(experiment: E): LabReportOf<E> {
  const found = LAB_REPORTS.find((report) => report.experiment === experiment);
  if (!found) throw new Error(`There is no made-up report of ${experiment}.`);
  return found as LabReportOf<E>;
}
