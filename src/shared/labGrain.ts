import type { ExperimentName } from "./lab.ts";

/** What an experiment does with several super weights at once. */
const GRAINS: Readonly<Record<ExperimentName, string>> = {
  importance: "all found weights together, then each weight alone",
  "super-activations": "all found weights together; each activation in its own row",
  "token-probabilities": "all found weights together",
  sensitivity: "all found weights together, by one factor",
  "block-scaling": "all found weights together",
  activations: "the activations of all found weights together",
  "threshold-search": "all found weights together",
};

/** The grain of an experiment, e.g. `all found weights together`; with one weight, or none, there is nothing to tell apart. */
export function grainWords(experiment: ExperimentName, superWeights: number): string {
  if (superWeights === 0) return "no super weight";
  return superWeights === 1 ? "the one found weight" : GRAINS[experiment];
}
