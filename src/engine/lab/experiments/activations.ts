import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import { onTheWay } from "#shared/lab/reports/unfinished.ts";
import { calibrate } from "#engine/evaluate/stream/calibrate.ts";
import { requireNormWeights } from "#engine/recipe/smoothing.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import { planBatches } from "#engine/evaluate/stream/hiddenStates.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import {
  methodRows,
  rowVariant,
  weightRows,
  type ActivationRun,
  type Per,
  type RowPlan,
} from "./activationRows.ts";
import { Journey } from "../run/journey.ts";
import { isCertainlyWorse, Judging, type Judged } from "../run/judging.ts";
import { labFacts } from "../run/labFacts.ts";
import { LabTasks } from "../run/labTasks.ts";
import { calibrationWindows, textWindows, type Calibration } from "../run/texts.ts";
import type { Experiment } from "../run/experiment.ts";
import { exact, figure, sentence, tookBack } from "../run/words.ts";

type Report = LabReportOf<"activations">;
type Row = Report["rows"][number];

/** A row, and how sure its distance from the original is. */
interface Scored {
  readonly row: Row;
  readonly difference: Judged["difference"];
}

/**
 * What 8-bit activations cost, and what keeping the super activation buys beside SmoothQuant [arXiv:2411.07191, Tables 3 and 4]. The
 * weights are 8-bit per tensor, plain or clipped and restored; SmoothQuant's α is the one of least KL on the calibration text. Every
 * trial and row is told as soon as it is scored.
 * @throws KeystoneError text/…, usage/…, tasks/…, checkpoint/not-finite, job/cancelled
 */
export const activations: Experiment<"activations"> = async (run) => {
  const begin = performance.now();
  const { request } = run;
  const windows = await textWindows(run);
  const { calibration, without } = await smoothing(run);
  const journey = new Journey(run);
  const text = new Judging(run, journey, "text", windows, await LabTasks.open(run, journey));
  const pers = [...new Set(request.per)];
  const rowsAhead = pers.flatMap((per) => methodRows(run, per, calibration ? 0 : null));
  const ahead = weightRows(run).length + rowsAhead.length;
  text.announce([...weightRows(run), ...rowsAhead].map(() => plainRow(run)));

  const rows: Scored[] = [];
  const alphaSearch: Report["alphaSearch"] = [];
  const report = (complete: boolean): Report => {
    const reached = { done: rows.length, of: 1 + ahead, unit: "row" };
    return {
      experiment: "activations",
      ...labFacts(run, windows.convention, begin, reached),
      complete,
      finding: complete ? findingOf(rows) : onTheWay(reached),
      notes: [...notesOf(run), ...without, ...(calibration?.notes ?? [])],
      matmuls: request.matmuls,
      rows: withRecovery(rows),
      alphaSearch: [...alphaSearch],
    };
  };
  const tell = (): void => run.onReport?.(report(false));

  const smoother = calibration && (await openSmoother(run, journey, calibration.windows));
  rows.push(
    toScored(
      { name: "original", method: "none", per: null, weights: "original", alpha: null },
      await text.original(),
    ),
  );
  tell();
  const score = async (plan: RowPlan): Promise<void> => {
    rows.push(toScored(plan, await text.variant(rowVariant(run, plan, smoother?.maxima ?? null), plan.name)));
    tell();
  };
  for (const plan of weightRows(run)) await score(plan);
  for (const per of pers) {
    const alpha = smoother
      ? await smoother.search(per, (trial) => {
          alphaSearch.push(trial);
          tell();
        })
      : null;
    for (const plan of methodRows(run, per, alpha)) await score(plan);
  }
  return report(true);
};

/** The calibration text where SmoothQuant can use one, and why it is left out where not. */
async function smoothing(run: ActivationRun): Promise<{ calibration: Calibration | null; without: Note[] }> {
  if (run.request.calibration === null)
    return { calibration: null, without: [leftOut("no calibration text was named.")] };
  try {
    requireNormWeights(run.architecture);
  } catch (error) {
    if (!(error instanceof KeystoneError)) throw error;
    return { calibration: null, without: [leftOut(error.message)] };
  }
  return { calibration: await calibrationWindows(run), without: [] };
}

function leftOut(why: string): Note {
  return { code: "smoothquant/left-out", text: `SmoothQuant is left out: ${why}` };
}

/** SmoothQuant's calibration: the channels' maxima once, then α by α. */
async function openSmoother(run: ActivationRun, journey: Journey, windows: WindowSet) {
  const { request, architecture } = run;
  const judging = new Judging(run, journey, "calibration", windows);
  const alphas = [...new Set(request.alphas)].sort((a, b) => a - b);
  journey.announce("maxima", planBatches(windows).tokens * architecture.facts.layers);
  const trials = [...new Set(request.per)].flatMap(() => alphas);
  judging.announce(trials.map(() => plainRow(run)));
  const maxima: ActivationMaxima = await calibrate({
    ...run,
    ...journey.pass("maxima", "channel maxima, calibration text"),
    windows,
  });
  await judging.original("original, calibration text");

  /** The α of least KL, the smaller of equals. */
  const search = async (per: Per, tried: (trial: Report["alphaSearch"][number]) => void): Promise<number> => {
    let best: { alpha: number; kl: number } | null = null;
    for (const alpha of alphas) {
      const plan: RowPlan = { name: "", method: "smoothquant", per, weights: "8-bit", alpha };
      const { scores } = await judging.variant(
        rowVariant(run, plan, maxima),
        `trying α ${alpha}, per ${per}`,
      );
      const kl = scores.kl?.mean ?? null;
      tried({ alpha, per, kl, perplexity: scores.perplexity });
      if (best === null || (kl ?? Infinity) < best.kl) best = { alpha, kl: kl ?? Infinity };
    }
    if (best === null) throw new Error("there is no α to try");
    return best.alpha;
  };
  return { maxima, search };
}

/** Stands for every row where they are announced: all of them change the model from its first layer on. */
function plainRow(run: ActivationRun): Variant {
  return rowVariant(run, weightRows(run)[0], null);
}

function toScored(plan: RowPlan, { scores, tasks, difference }: Judged): Scored {
  return { row: { ...plan, scores, recovered: null, ...(tasks ? { tasks } : {}) }, difference };
}

/** (naive − this) / (naive − original) of the NLL, for what stands beside naive at the same granularity. */
function withRecovery(rows: readonly Scored[]): Row[] {
  return rows.map(({ row }) => ({ ...row, recovered: recoveredShare(rows, row) }));
}

/** Null for naive itself, for what has no activations quantized, and where naive loses nothing that the text can tell. */
function recoveredShare(rows: readonly Scored[], row: Row): number | null {
  if (row.method === "none" || row.method === "naive") return null;
  const naive = naiveOf(rows, row.per);
  const [original, lost] = [rows[0]?.row.scores.nll, naive?.row.scores.nll];
  if (!losesFor(naive) || original == null || lost == null || row.scores.nll === null) return null;
  return (lost - row.scores.nll) / (lost - original);
}

function naiveOf(rows: readonly Scored[], per: Row["per"]): Scored | undefined {
  return rows.find(({ row }) => row.method === "naive" && row.per === per);
}

function losesFor(naive: Scored | undefined): boolean {
  return naive?.difference !== undefined && isCertainlyWorse(naive.difference);
}

function findingOf(rows: readonly Scored[]): Note {
  const original = exact(rows[0]?.row.scores.perplexity);
  const told = [...new Set(rows.flatMap(({ row }) => row.per ?? []))].map((per) => {
    const naive = naiveOf(rows, per);
    const own = rows.map(({ row }) => row).filter((row) => row.per === per && row.weights === "8-bit");
    const beside = own.flatMap((row) => besideNaive(rows, row));
    const little = losesFor(naive) ? "" : " (less than this text can tell)";
    const takes = `takes perplexity from ${original} to ${exact(naive?.row.scores.perplexity)}${little}`;
    return `per ${per} naive W8A8 ${takes}, KL ${figure(naive?.row.scores.kl?.mean)}${beside.join("")}`;
  });
  return { code: "activations/cost", text: `${sentence(told.join("; "))}.` };
}

function besideNaive(rows: readonly Scored[], row: Row): string[] {
  if (row.method === "none" || row.method === "naive") return [];
  const share = recoveredShare(rows, row);
  const name = row.method === "smoothquant" ? `SmoothQuant (α ${row.alpha})` : "keeping the super activation";
  const back = share === null ? "" : `${tookBack(share, "it")}, `;
  return [`, ${name} ${back}KL ${figure(row.scores.kl?.mean)}`];
}

function notesOf(run: ActivationRun): Note[] {
  const notes: Note[] = [
    {
      code: "recovered/meaning",
      text: "Recovered is (naive − this) / (naive − original) of the log-likelihood, at the same granularity and with 8-bit weights; it is empty where naive loses less than two standard errors of the difference.",
    },
    {
      code: "activations/simulated",
      text: `Activations are simulated: symmetric, scale max|x| / 127, ${run.request.matmuls ? "the inputs of linears and of attention's products" : "the inputs of linears only (the paper quantizes attention's products too)"}; per tensor means per window.`,
    },
  ];
  if (run.superWeights.length === 0)
    notes.push({
      code: "restore/no-super-weight",
      text: "No super weight was found in this model: there is no super activation to keep, and nothing is restored.",
    });
  notes.push({
    code: "paper/activations",
    text: "In the paper keeping the super activation recovers 9 to 84% of what naive W8A8 loses to FP16 (Table 4), 71 to 83% of SmoothQuant's gain on the Llamas (Table 3).",
  });
  return notes;
}
