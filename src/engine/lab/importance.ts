import type { AblationRow } from "#shared/evaluation.ts";
import type { LabReportOf } from "#shared/lab.ts";
import {
  largestOthersPruned,
  onePruned,
  randomOthersPruned,
  superActivationKept,
  superWeightsPruned,
  type Ablation,
} from "../superweight/ablations.ts";
import { Journey } from "./journey.ts";
import { Judging } from "./judging.ts";
import { labFacts, requireSuperWeights } from "./labFacts.ts";
import { LabTasks } from "./labTasks.ts";
import { textWindows } from "./texts.ts";
import type { Experiment, LabRun } from "./types.ts";
import { change, count, figure, percent } from "./words.ts";

/** Of the random control; fixed, so that the row can be repeated. */
const SEED = 1;
/** Recovering more than this of the loss is "everything": the rest is within what rounding moves. */
const EVERYTHING = 0.99;

/**
 * What the super weights are worth beside far more ordinary outliers [arXiv:2411.07191, Table 1]: original; super weights pruned;
 * pruned but their super activation kept; the largest others pruned; as many others at random; each super weight alone where
 * there are several. Rows are scored and told one by one.
 * @throws KeystoneError lab/no-super-weights, text/…, tasks/…, checkpoint/not-finite, job/cancelled
 */
export const importance: Experiment<"importance"> = async (run) => {
  const begin = performance.now();
  requireSuperWeights(run);
  const windows = await textWindows(run);
  const journey = new Journey(run);
  const judging = new Judging(run, journey, "text", windows, await LabTasks.open(run, journey));
  const ablations = await planRows(run);
  judging.announce(ablations.length);

  const report = (rows: readonly AblationRow[], complete: boolean): LabReportOf<"importance"> => ({
    experiment: "importance",
    ...labFacts(run, windows.convention, begin),
    complete,
    finding: findingOf(run, rows),
    notes: notesOf(rows),
    rows: [...rows],
    recovered: recoveredShare(rows),
  });

  const { scores, tasks } = await judging.original();
  const original: AblationRow = { name: "original", change: "nothing", weights: 0, ...scores };
  const rows = [tasks ? { ...original, tasks } : original];
  run.onReport?.(report(rows, false));
  for (const { variant, name, change: what, weights } of ablations) {
    const judged = await judging.variant(variant, name);
    const row: AblationRow = { name, change: what, weights, ...judged.scores };
    rows.push(judged.tasks ? { ...row, tasks: judged.tasks } : row);
    run.onReport?.(report(rows, false));
  }
  return report(rows, true);
};

async function planRows(run: LabRun): Promise<Ablation[]> {
  const { superWeights } = run;
  return [
    superWeightsPruned(run, superWeights),
    superActivationKept(run, superWeights),
    await largestOthersPruned(run, superWeights, run),
    randomOthersPruned(run, superWeights, SEED),
    ...(superWeights.length > 1 ? superWeights.map((coordinate) => onePruned(run, coordinate)) : []),
  ];
}

/** Of what pruning loses, in mean accuracy or (without tasks) in NLL, the share that keeping the super activation takes back. */
function recoveredShare([original, pruned, kept]: readonly (AblationRow | undefined)[]): number | null {
  const [base, lost, left] = [original, pruned, kept].map((row) => row && worth(row));
  if (base == null || lost == null || left == null || lost >= base) return null;
  return (left - lost) / (base - lost);
}

/** What a row is compared by, higher being better: mean accuracy over the tasks, else the negative NLL. */
function worth(row: AblationRow): number | null {
  if (row.tasks && row.tasks.length > 0) return meanAccuracy(row);
  return row.nll === null ? null : -row.nll;
}

function meanAccuracy({ tasks = [] }: AblationRow): number {
  return tasks.reduce((sum, { accuracy }) => sum + accuracy, 0) / tasks.length;
}

function findingOf(run: LabRun, rows: readonly (AblationRow | undefined)[]): string {
  const [original, pruned, kept, others] = rows;
  if (!original || !pruned) return "The original is scored; the rows without super weights follow.";
  const parameters = [...run.checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.parameters, 0);
  const removing = `Removing ${count(pruned.weights)} of ${count(parameters)} parameters ${effectOn(original, pruned)}`;
  const recovered = recoveredShare([original, pruned, kept]);
  const keeping =
    recovered === null ? "" : `; keeping the super activation takes back ${percent(recovered)} of the loss`;
  const beside = others
    ? `; removing the ${count(others.weights)} largest others ${effectOn(original, others)}`
    : "";
  return `${removing}${keeping}${beside}.`;
}

function effectOn(original: AblationRow, row: AblationRow): string {
  if (original.perplexity === null) return "cannot be judged: the original's perplexity is not finite";
  if (row.perplexity === null) return "makes perplexity not finite";
  const factor = row.perplexity / original.perplexity;
  if (factor >= 2) return `raises perplexity ${figure(factor)}-fold`;
  return `changes perplexity by ${change(factor - 1)}`;
}

function notesOf(rows: readonly (AblationRow | undefined)[]): string[] {
  const [original, pruned, kept] = rows;
  if (!original || !pruned || !kept) return [];
  const by =
    (original.tasks?.length ?? 0) > 0
      ? "mean accuracy over the tasks"
      : "negative log-likelihood (no tasks were asked for)";
  const recovered = recoveredShare([original, pruned, kept]);
  if (recovered === null) {
    return [
      `Pruning loses nothing by ${by}, so there is nothing to recover: these weights do not matter here.`,
    ];
  }
  const paper =
    "In the paper's Llama-7B keeping the super activation recovers about 42 % of the lost accuracy";
  const here =
    recovered >= EVERYTHING
      ? "here it recovers everything: the super weight acts through this one activation alone."
      : `here ${percent(recovered)}.`;
  return [`Recovered is measured by ${by}.`, `${paper}; ${here}`];
}
