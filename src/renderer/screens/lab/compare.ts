import { when } from "#shared/format.ts";
import type { Figure, Palette } from "#shared/figures/index.ts";
import type { ExperimentName, LabResult } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { compareFigure } from "./compareFigure.ts";
import type { Compared } from "./compared.ts";
import { resultName } from "./labText.ts";

/** Results as they are compared: A first, each with a name that tells it from the others. */
export function comparedOf(results: readonly LabResult[]): Compared[] {
  const summaries = results.map(({ summary }) => summary);
  return results.map(({ summary, report }, place) => ({
    place,
    letter: "ABCD".charAt(place),
    name: resultName(summary, summaries, when(summary.created)),
    report,
  }));
}

/** Charts that hold the results side by side. Perplexities are drawn as multiples of each model's own original. */
export function compareFigures(
  experiment: ExperimentName,
  compared: readonly Compared[],
  palette: Palette,
): Figure[] {
  const alike = compared.filter(({ report }) => report.experiment === experiment);
  return EXPERIMENTS[experiment].compare
    .charts(alike.map(({ report }) => report))
    .map((chart) => compareFigure(chart, alike, palette));
}
