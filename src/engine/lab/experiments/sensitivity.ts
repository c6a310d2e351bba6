import type { Note } from "#shared/notes.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import { onTheWay } from "#shared/lab/reports/unfinished.ts";
import { superWeightsScaled } from "#engine/superweight/ablate/ablations.ts";
import { Journey } from "../run/journey.ts";
import { isCertainlyBetter, Judging, type Judged } from "../run/judging.ts";
import { labFacts, requireSuperWeights } from "../run/labFacts.ts";
import { LabTasks } from "../run/labTasks.ts";
import { textWindows } from "../run/texts.ts";
import type { Experiment, LabRun } from "../run/experiment.ts";
import { exact, figure, percent, sentence, them } from "../run/words.ts";

type Report = LabReportOf<"sensitivity">;

interface Scaled {
  readonly factor: number;
  readonly judged: Judged;
}

/**
 * What happens as the super weights are multiplied by factors [arXiv:2411.07191, Figure 6]. A point is told as soon as it is
 * scored; a factor of 1 is the original, scored like the others.
 * @throws KeystoneError lab/no-super-weights, text/…, tasks/…, checkpoint/not-finite, job/cancelled
 */
export const sensitivity: Experiment<"sensitivity"> = async (run) => {
  const begin = performance.now();
  requireSuperWeights(run);
  const windows = await textWindows(run);
  const journey = new Journey(run);
  const judging = new Judging(run, journey, "text", windows, await LabTasks.open(run, journey));
  const factors = [...new Set(run.request.factors)].sort((a, b) => a - b);
  const scaled = factors.map((factor) => ({
    factor,
    ...superWeightsScaled(run, run.superWeights, factor),
  }));
  judging.announce(scaled.map(({ variant }) => variant));

  const report = (original: Judged, points: readonly Scaled[], complete: boolean): Report => {
    const reached = { done: points.length, of: factors.length, unit: "factor" };
    return {
      experiment: "sensitivity",
      ...labFacts(run, windows.convention, begin, reached),
      complete,
      finding: complete ? findingOf(run, original, points) : onTheWay(reached),
      notes: notesOf(run),
      original: flat(original),
      points: points.map(({ factor, judged }) => ({ factor, ...flat(judged) })),
    };
  };

  const original = await judging.original();
  const points: Scaled[] = [];
  run.onReport?.(report(original, points, false));
  for (const { factor, variant, name } of scaled) {
    points.push({ factor, judged: await judging.variant(variant, name) });
    run.onReport?.(report(original, points, false));
  }
  return report(original, points, true);
};

function flat({ scores, tasks }: Judged): NonNullable<Report["original"]> {
  return tasks ? { ...scores, tasks } : scores;
}

function findingOf(run: LabRun, original: Judged, points: readonly Scaled[]): Note {
  const finite = points.filter(({ judged }) => judged.scores.perplexity !== null).toSorted(byPerplexity);
  const [best, worst] = [
    finite[0],
    points.find(({ judged }) => judged.scores.perplexity === null) ?? finite.at(-1),
  ];
  if (!best || !worst)
    return { code: "sensitivity/not-finite", text: "No factor gives a finite perplexity." };
  const lost = worst.judged.scores.perplexity;
  const end = lost === null ? "makes perplexity not finite" : `takes perplexity to ${figure(lost)}`;
  const gain = gainOf(best);
  const [at, from] = [exact(best.judged.scores.perplexity), exact(original.scores.perplexity)];
  return {
    code: gain.code,
    text: `${sentence(them(run.superWeights))} × ${worst.factor} ${end}; the best factor is ${best.factor} (${at}, original ${from}${gain.text}).`,
  };
}

function byPerplexity(a: Scaled, b: Scaled): number {
  return (a.judged.scores.perplexity ?? NaN) - (b.judged.scores.perplexity ?? NaN);
}

/** How far the best lies below the original, and whether that is more than the text can tell. */
function gainOf({ judged: { difference } }: Scaled): Note {
  if (!difference || difference.mean >= 0) return { code: "sensitivity/no-gain", text: "" };
  const gain = `, ${percent(1 - Math.exp(difference.mean))} lower`;
  return isCertainlyBetter(difference)
    ? { code: "sensitivity/gain", text: gain }
    : { code: "sensitivity/uncertain-gain", text: `${gain}, within what this text can tell` };
}

function notesOf({ superWeights }: LabRun): Note[] {
  return superWeights.length > 1
    ? [
        {
          code: "sensitivity/together",
          text: `All ${superWeights.length} super weights are scaled together.`,
        },
      ]
    : [];
}
