import type { ExperimentName } from "./lab.ts";

/** Experiments whose rows answer tasks too. */
export const ANSWERS_TASKS: ReadonlySet<ExperimentName> = new Set([
  "importance",
  "sensitivity",
  "block-scaling",
  "activations",
]);

/** Experiments that choose thresholds or scales, on another text than the one that is judged. */
export const CALIBRATED: ReadonlySet<ExperimentName> = new Set([
  "block-scaling",
  "activations",
  "threshold-search",
]);

/** Experiments that score the text in windows; the others take prompts from it. */
export const SCORES_TEXT: ReadonlySet<ExperimentName> = new Set([
  "importance",
  "sensitivity",
  "block-scaling",
  "activations",
  "threshold-search",
]);

/** Whether a threshold search goes by the weights alone, so that it runs without a calibration text. */
export function isDataFree({ scope, by }: { readonly scope?: unknown; readonly by?: unknown }): boolean {
  return scope === "tensor" && by === "weight-error";
}
