import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { AblationRow } from "#shared/evaluation.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import {
  largestOthersPruned,
  onePruned,
  randomOthersPruned,
  superActivationKept,
  superWeightsPruned,
  type Ablation,
} from "#engine/superweight/ablate/ablations.ts";
import { Journey } from "../run/journey.ts";
import { Judging } from "../run/judging.ts";
import { labFacts, requireSuperWeights } from "../run/labFacts.ts";
import { LabTasks } from "../run/labTasks.ts";
import { textWindows } from "../run/texts.ts";
import type { Experiment, LabRun } from "../run/experiment.ts";
import { change, count, figure, percent, plural, tookBack } from "../run/words.ts";
import { recoveredShare, metricOf, type Metric } from "./metric.ts";

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
  judging.announce(ablations.map(({ variant }) => variant));

  const report = (rows: readonly AblationRow[], complete: boolean): LabReportOf<"importance"> => ({
    experiment: "importance",
    ...labFacts(run, windows.convention, begin, {
      done: rows.length,
      of: 1 + ablations.length,
      unit: "row",
    }),
    complete,
    finding: findingOf(run, rows),
    notes: notesOf(rows),
    rows: [...rows],
    recovered: recoveredShare(rows),
  });

  const { scores, tasks } = await judging.original();
  const original: AblationRow = {
    kind: "original",
    name: "original",
    change: "nothing",
    weights: 0,
    ...scores,
  };
  const rows = [tasks ? { ...original, tasks } : original];
  run.onReport?.(report(rows, false));
  for (const { variant, kind, name, change: what, weights } of ablations) {
    const judged = await judging.variant(variant, name);
    const row: AblationRow = { kind, name, change: what, weights, ...judged.scores };
    rows.push(judged.tasks ? { ...row, tasks: judged.tasks } : row);
    run.onReport?.(report(rows, false));
  }
  return report(rows, true);
};

async function planRows(run: LabRun): Promise<Ablation[]> {
  const { superWeights } = run;
  const kept = superActivationKept(run, superWeights);
  if (kept.length === 0) throw outputNotAdded(run.architecture.facts.name);
  return [
    superWeightsPruned(run, superWeights),
    ...kept,
    await largestOthersPruned(run, superWeights, run),
    randomOthersPruned(run, superWeights, SEED),
    ...(superWeights.length > 1 ? superWeights.map((coordinate) => onePruned(run, coordinate)) : []),
  ];
}

function outputNotAdded(name: string): KeystoneError {
  return new KeystoneError(
    "lab/output-not-added",
    `${name} norms or scales what down_proj writes before it adds it, so that the super activation cannot be put back.`,
    "Use ablate, which leaves that row out.",
    {},
  );
}

function findingOf(run: LabRun, rows: readonly (AblationRow | undefined)[]): Note {
  const [original, pruned, , others] = rows;
  if (!original || !pruned)
    return {
      code: "importance/original",
      text: "The original is scored; the rows without super weights follow.",
    };
  const parameters = [...run.checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.parameters, 0);
  const recovered = recoveredShare(rows);
  const { tooFew } = metricOf(original, pruned);
  const parts = [
    `Removing ${count(pruned.weights)} of ${count(parameters)} parameters ${effectOn(original, pruned)}`,
    ...(recovered === null ? [] : [`keeping the super activation ${tookBack(recovered, "the loss")}`]),
    ...(others ? [`removing the ${count(others.weights)} largest others ${effectOn(original, others)}`] : []),
    ...(tooFew
      ? [`the answers to ${plural(tooFew.items, "task item")} are too few to tell whether accuracy is lost`]
      : []),
  ];
  return { code: tooFew ? "importance/too-few" : "importance/effect", text: `${parts.join("; ")}.` };
}

function effectOn(original: AblationRow, row: AblationRow): string {
  if (original.perplexity === null) return "cannot be judged: the original's perplexity is not finite";
  if (row.perplexity === null) return "makes perplexity not finite";
  const factor = row.perplexity / original.perplexity;
  if (factor >= 2) return `multiplies perplexity by ${figure(factor)}`;
  return `changes perplexity by ${change(factor - 1)}`;
}

function notesOf(rows: readonly (AblationRow | undefined)[]): Note[] {
  const [original, pruned, kept] = rows;
  if (!original || !pruned || !kept) return [];
  const metric = metricOf(original, pruned);
  const recovered = recoveredShare(rows);
  const named = nameOf(metric);
  const told =
    recovered === null
      ? [nothingRecovered(metric, [original, pruned, kept])]
      : [
          { code: "recovered/measured-by", text: `Recovered is measured by ${named}.` },
          paperComparison(recovered),
        ];
  return [...tooFewNote(metric), ...told];
}

function nameOf({ by, tooFew }: Metric): string {
  if (by === "accuracy") return "mean accuracy over the tasks";
  return `negative log-likelihood (${tooFew ? "the task items are too few" : "no tasks were asked for"})`;
}

function tooFewNote({ tooFew }: Metric): Note[] {
  if (!tooFew) return [];
  const changed = `changes mean accuracy by ${change(tooFew.change)}, ±${percent(tooFew.error)}`;
  return [
    {
      code: "tasks/too-few",
      text: `Over ${plural(tooFew.items, "task item")} pruning ${changed}: too few to tell whether accuracy is lost. Ask for more items.`,
    },
  ];
}

function nothingRecovered(metric: Metric, rows: readonly AblationRow[]): Note {
  if (metric.by === "log-likelihood" && rows.some(({ nll }) => nll === null))
    return {
      code: "recovered/not-finite",
      text: `What is recovered cannot be said by ${nameOf(metric)}: a perplexity is not finite.`,
    };
  const here = metric.tooFew ? "" : ": these weights do not matter here";
  return {
    code: "recovered/nothing-lost",
    text: `Pruning loses nothing by ${nameOf(metric)}, so there is nothing to recover${here}.`,
  };
}

function paperComparison(recovered: number): Note {
  const paper =
    "In the paper's Llama-7B keeping the super activation recovers about 42% of the lost accuracy";
  const here =
    recovered >= EVERYTHING
      ? "it recovers everything: the super weight acts through this one activation alone"
      : `it ${tookBack(recovered, "the loss")}`;
  return { code: "paper/recovered", text: `${paper}; here ${here}.` };
}
