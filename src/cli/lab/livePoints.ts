import type { LabReport } from "#shared/lab.ts";
import { blockLabel, clipLabel } from "#shared/recipeText.ts";
import { fixed } from "../output/numbers.ts";

/** What a report knows, a line a point, in the order it came: for a terminal where points arrive one by one. */
export function livePoints(report: LabReport): string[] {
  switch (report.experiment) {
    case "importance":
      return report.rows.map((row) => `${row.name}: perplexity ${fixed(row.perplexity, 4, row.notFinite)}`);
    case "super-activations":
      return report.prompts.map(({ tokens }, i) => `prompt ${i + 1}: ${tokens} tokens`);
    case "token-probabilities":
      return [];
    case "sensitivity":
      return report.points.map(
        (point) =>
          `× ${point.factor}: perplexity ${fixed(point.perplexity, 4, point.notFinite)}, KL ${fixed(point.kl?.mean, 4, point.notFinite)}`,
      );
    case "block-scaling":
      return [
        ...report.trials.map(
          ({ bits, block, clip, kl }) =>
            `INT${bits}, ${blockLabel(block)}, ${clipLabel(clip)}: KL ${fixed(kl, 4, kl === null)} on the calibration text`,
        ),
        ...report.cells.map(
          ({ bits, block, arm, scores }) =>
            `INT${bits}, ${blockLabel(block)}, ${arm}: perplexity ${fixed(scores.perplexity, 4, scores.notFinite)}`,
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
        ({ clip, tensor, loss }) =>
          `${tensor === null ? "" : `${tensor}, `}${clipLabel(clip) || "no clip"}: ${fixed(loss, 4, loss === null)}`,
      );
  }
}
