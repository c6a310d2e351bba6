import { plural } from "#shared/format.ts";
import type { LabReport, LabReportOf } from "#shared/lab.ts";
import { granularityLabel, rangeLabel } from "#shared/recipeText.ts";
import { fixed, percent } from "../output/numbers.ts";

/** What a report knows, a line a point, in the order it came: for a terminal where points arrive one by one. */
export function livePoints(report: LabReport): string[] {
  switch (report.experiment) {
    case "importance":
      return report.rows.map((row) => `${row.name}: perplexity ${fixed(row.perplexity, 4, row.notFinite)}`);
    case "super-activations":
      return layerLines(report);
    case "token-probabilities":
      return [
        `${plural(report.prompts, "prompt")}: stop words ${percent(report.stopWords.original)} to ${percent(report.stopWords.pruned)} of the probability, KL ${fixed(report.kl, 4, report.kl === null)}`,
      ];
    case "sensitivity":
      return report.points.map(
        (point) =>
          `× ${point.factor}: perplexity ${fixed(point.perplexity, 4, point.notFinite)}, KL ${fixed(point.kl?.mean, 4, point.notFinite)}`,
      );
    case "block-scaling":
      return [
        ...report.trials.map(
          ({ bits, granularity, range, kl }) =>
            `INT${bits}, ${granularityLabel(granularity)}, ${rangeLabel(range)}: KL ${fixed(kl, 4, kl === null)} on the calibration text`,
        ),
        ...report.cells.map(
          ({ bits, granularity, arm, scores }) =>
            `INT${bits}, ${granularityLabel(granularity)}, ${armWords(report, arm)}: perplexity ${fixed(scores.perplexity, 4, scores.notFinite)}`,
        ),
      ];
    case "activations":
      return [
        ...report.alphaSearch.map(
          ({ alpha, per, kl }) =>
            `α ${alpha}, per ${per}: KL ${fixed(kl, 4, kl === null)} on the calibration text`,
        ),
        ...report.rows.map(
          ({ name, scores }) => `${name}: perplexity ${fixed(scores.perplexity, 4, scores.notFinite)}`,
        ),
      ];
    case "threshold-search":
      return report.trials.map(
        ({ range, tensor, loss }) =>
          `${tensor === null ? "" : `${tensor}, `}${rangeLabel(range) || "no clipping"}: ${fixed(loss, 4, loss === null)}`,
      );
  }
}

/** Of each layer that is done, the largest |value| over prompts in every state. */
function layerLines({ states }: LabReportOf<"super-activations">): string[] {
  const done = Math.min(...states.map(({ peaks }) => peaks[0]?.length ?? 0));
  return Array.from({ length: done }, (_, layer) => {
    const largest = states.map(({ name, peaks }) => {
      const values = peaks.map((prompt) => Math.abs(prompt[layer]?.value ?? NaN));
      const most = Math.max(...values);
      return `${name} ${fixed(Number.isFinite(most) ? most : null, 1, true)}`;
    });
    return `layer ${layer}, largest value: ${largest.join(", ")}`;
  });
}

/** What an arm did: without super weights nothing is restored. */
function armWords({ superWeights }: LabReport, arm: "plain" | "clip-restore"): string {
  if (arm === "plain") return arm;
  return superWeights.length > 0 ? "clip, restore" : "clip";
}
