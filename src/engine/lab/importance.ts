import type { AblationRow } from "#shared/evaluation.ts";
import { ablate } from "../superweight/ablate.ts";
import { labFacts, windowsOf } from "./labFacts.ts";
import type { Experiment } from "./types.ts";

/** What the super weights are worth beside far more ordinary outliers [arXiv:2411.07191, Table 1]. */
export const importance: Experiment<"importance"> = async (run) => {
  const begin = performance.now();
  const windows = await windowsOf(run, run.request.text);
  const { rows } = await ablate({ ...run, windows, text: run.request.text, scales: [], tasks: [] });
  return {
    experiment: "importance",
    ...labFacts(run, windows.convention, begin),
    complete: true,
    finding: findingOf(rows),
    notes: [],
    rows,
    recovered: recoveredShare(rows),
  };
};

function findingOf([original, pruned]: readonly AblationRow[]): string {
  if (!original?.perplexity || !pruned) return "The original could not be scored.";
  const factor = (pruned.perplexity ?? Infinity) / original.perplexity;
  return `Removing ${pruned.weights} of the weights raises perplexity ${factor.toLocaleString("en-US", { maximumSignificantDigits: 3 })}-fold`;
}

/** Of the NLL that pruning adds, the share that keeping the super activation takes back. */
function recoveredShare([original, pruned, kept]: readonly AblationRow[]): number | null {
  const [base, lost, left] = [original?.nll, pruned?.nll, kept?.nll];
  if (base == null || lost == null || left == null || lost <= base) return null;
  return (lost - left) / (lost - base);
}
