import type { Note } from "#shared/notes.ts";
import type { LabReportOf, LabRequestOf } from "#shared/lab/index.ts";
import { onTheWay } from "#shared/lab/reports/unfinished.ts";
import type { RangeRule } from "#shared/recipe.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { granularityLabel, rangeLabel } from "#shared/recipeText.ts";
import { clipRestoreRecipe, plainRecipe, restoreNotes, type Grid } from "../run/arms.ts";
import { fittingBlocks, type FittingBlocks } from "./fittingBlocks.ts";
import { Journey } from "../run/journey.ts";
import { Judging, type Judged } from "../run/judging.ts";
import { labFacts } from "../run/labFacts.ts";
import { LabTasks } from "../run/labTasks.ts";
import { recipeVariant } from "../run/recipeVariant.ts";
import { calibrationWindows, textWindows } from "../run/texts.ts";
import type { Experiment, LabRun } from "../run/experiment.ts";
import { exact, figure } from "../run/words.ts";

type Run = LabRun<LabRequestOf<"block-scaling">>;
type Report = LabReportOf<"block-scaling">;
type Cell = Report["cells"][number];
type Trial = Report["trials"][number];

/**
 * How large blocks may grow: plain round-to-nearest beside clip and restore with the threshold of least KL on the calibration text,
 * both judged on the other text [arXiv:2411.07191, Figure 7]. Every trial and cell is told as soon as it is scored.
 * @throws KeystoneError usage/no-calibration, recipe/block-does-not-divide where no block fits, text/…, tasks/…, job/cancelled
 */
export const blockScaling: Experiment<"block-scaling"> = async (run) => {
  const begin = performance.now();
  const fitting = fittingBlocks(run, run.request.granularities);
  const calibration = await calibrationWindows(run);
  const windows = await textWindows(run);
  const journey = new Journey(run);
  const bench: Bench = {
    run,
    text: new Judging(run, journey, "text", windows, await LabTasks.open(run, journey)),
    calibration: new Judging(run, journey, "calibration", calibration.windows),
    thresholds: [...new Set(run.request.thresholds)].sort((a, b) => a - b),
  };
  const bits = [...new Set(run.request.bits)].sort((a, b) => b - a);
  const computed = fitting.blocks.filter(({ same }) => same === null);
  const grid = bits.flatMap((width) =>
    computed.map(({ granularity }): Grid => ({ bits: width, granularity })),
  );
  const passes = (each: number) =>
    grid.flatMap((at) => Array<Variant>(each).fill(recipeVariant(run, "plain", plainRecipe(at)).variant));
  bench.text.announce(passes(2));
  bench.calibration.announce(passes(bench.thresholds.length));

  const cells: Cell[] = [];
  const trials: Trial[] = [];
  const notes = [...restoreNotes(run), ...calibration.notes, ...fitting.notes];
  const report = (original: Judged, complete: boolean): Report => {
    const reached = { done: cells.length, of: 2 * grid.length, unit: "cell" };
    return {
      experiment: "block-scaling",
      ...labFacts(run, windows.convention, begin, reached),
      complete,
      finding: complete ? findingOf(run, original, cells) : onTheWay(reached),
      notes,
      original: { ...original.scores, ...tasksOf(original) },
      cells: inOrder(
        withSame(cells, fitting, (cell, granularity) => ({ ...cell, granularity })),
        fitting,
      ),
      trials: withSame(trials, fitting, (trial, granularity) => ({ ...trial, granularity })),
    };
  };

  const original = await bench.text.original();
  await bench.calibration.original("original, calibration text");
  for (const point of grid) {
    cells.push(await plainCell(bench, point));
    run.onReport?.(report(original, false));
    const tried = (trial: Trial): void => {
      trials.push(trial);
      run.onReport?.(report(original, false));
    };
    cells.push(await clippedCell(bench, point, await searchClip(bench, point, tried)));
    run.onReport?.(report(original, false));
  }
  return report(original, true);
};

/** Both texts, and what is tried on the first for the second. */
interface Bench {
  readonly run: Run;
  readonly text: Judging;
  readonly calibration: Judging;
  readonly thresholds: readonly number[];
}

async function plainCell({ run, text }: Bench, grid: Grid): Promise<Cell> {
  const { variant, bitsPerWeight } = recipeVariant(run, "plain", plainRecipe(grid));
  const judged = await text.variant(variant, `${labelOf(grid)}, plain`);
  return {
    ...grid,
    arm: "plain",
    range: null,
    calibrationKl: null,
    bitsPerWeight,
    scores: judged.scores,
    ...tasksOf(judged),
  };
}

async function clippedCell({ run, text }: Bench, grid: Grid, { range, kl }: Trial): Promise<Cell> {
  const { variant, bitsPerWeight } = recipeVariant(run, "clipped", clipRestoreRecipe(run, grid, range));
  const judged = await text.variant(
    variant,
    `${labelOf(grid)}, ${rangeLabel(range)}${run.superWeights.length > 0 ? ", restored" : ""}`,
  );
  return {
    ...grid,
    arm: "clip-restore",
    range,
    calibrationKl: kl,
    bitsPerWeight,
    scores: judged.scores,
    ...tasksOf(judged),
  };
}

/** Scores every threshold on the calibration text. Of equals the larger wins: it changes fewer weights. */
async function searchClip(
  { run, calibration, thresholds }: Bench,
  grid: Grid,
  tried: (trial: Trial) => void,
): Promise<Trial> {
  let best: Trial | null = null;
  for (const threshold of thresholds) {
    const range: RangeRule = { method: "zscore", threshold };
    const { variant } = recipeVariant(run, "trial", clipRestoreRecipe(run, grid, range));
    const { scores } = await calibration.variant(variant, `${labelOf(grid)}, trying ${rangeLabel(range)}`);
    const trial = { ...grid, range, kl: scores.kl?.mean ?? null, perplexity: scores.perplexity };
    tried(trial);
    if (best === null || (trial.kl ?? Infinity) <= (best.kl ?? Infinity)) best = trial;
  }
  if (best === null) throw new Error("there is no threshold to try");
  return best;
}

/** Adds what holds for blocks that cut every tensor as an earlier one does. */
function withSame<T extends { readonly granularity: string }>(
  found: readonly T[],
  { blocks }: FittingBlocks,
  under: (of: T, granularity: string) => T,
): T[] {
  return found.flatMap((of) => [
    of,
    ...blocks.filter(({ same }) => same === of.granularity).map(({ granularity }) => under(of, granularity)),
  ]);
}

/** By bits, the widest first, and by block as they were asked for. */
function inOrder(cells: readonly Cell[], { blocks }: FittingBlocks): Cell[] {
  const place = (of: Cell): number => blocks.findIndex(({ granularity }) => granularity === of.granularity);
  return cells.toSorted((a, b) => b.bits - a.bits || place(a) - place(b));
}

/** Where clip and restore helps most, and where it does not help. */
function findingOf(run: Run, { scores: original }: Judged, cells: readonly Cell[]): Note {
  const pairs = cells
    .filter(({ arm }) => arm === "plain")
    .flatMap((plain) => {
      const clipped = cells.find(
        ({ arm, bits, granularity }) =>
          arm === "clip-restore" && bits === plain.bits && granularity === plain.granularity,
      );
      return clipped ? [{ plain, clipped, gain: lossOf(plain) - lossOf(clipped) }] : [];
    });
  const [best] = pairs.toSorted((a, b) => b.gain - a.gain);
  if (!best) return { code: "block-scaling/nothing", text: "No cell could be scored." };
  const better = pairs.filter(({ gain }) => gain > 0).length;
  const arm = run.superWeights.length > 0 ? "Clip and restore" : "Clipping";
  const count = `${arm} lies closer to the original than plain rounding in ${better} of ${pairs.length} cells`;
  const { plain, clipped } = best;
  const place = `INT${plain.bits}, ${granularityLabel(plain.granularity)}`;
  const perplexities = `${exact(plain.scores.perplexity)} to ${exact(clipped.scores.perplexity)}, original ${exact(original.perplexity)}`;
  if (better === 0) return { code: "block-scaling/no-gain", text: `${count}: nothing is gained here.` };
  return {
    code: "block-scaling/gain",
    text: `${count}, most at ${place}: ${rangeLabel(clipped.range)} takes KL from ${figure(plain.scores.kl?.mean)} to ${figure(clipped.scores.kl?.mean)} (perplexity ${perplexities}).`,
  };
}

function lossOf({ scores }: Cell): number {
  return scores.kl?.mean ?? Number.MAX_VALUE;
}

function tasksOf({ tasks }: Judged): Pick<Judged, "tasks"> {
  return tasks ? { tasks } : {};
}

function labelOf({ bits, granularity }: Grid): string {
  return `INT${bits}, ${granularityLabel(granularity)}`;
}
