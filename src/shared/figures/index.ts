import type { ExperimentName, LabReport, LabReportOf } from "../lab.ts";
import { activationFigures } from "./activations.ts";
import { blockScalingFigures } from "./blockScaling.ts";
import type { Figure } from "./figure.ts";
import { importanceFigures } from "./importance.ts";
import type { Palette } from "./palette.ts";
import { sensitivityFigures } from "./sensitivity.ts";
import { superActivationFigures } from "./superActivations.ts";
import { thresholdSearchFigures } from "./thresholdSearch.ts";
import { tokenProbabilityFigures } from "./tokenProbabilities.ts";

export type { Figure, FigureLayout, FigureTrace } from "./figure.ts";
export { paletteOf, type Palette } from "./palette.ts";
export { runFigures } from "./run.ts";
export { cellText, tableCsv, tableText, type FigureColumn, type FigureTable } from "./table.ts";

type FiguresOf<R> = (report: R, palette: Palette) => Figure[];

/** One file each; one that is missing does not compile. */
const FIGURES: { readonly [E in ExperimentName]: FiguresOf<LabReportOf<E>> } = {
  importance: importanceFigures,
  "super-activations": superActivationFigures,
  "token-probabilities": tokenProbabilityFigures,
  sensitivity: sensitivityFigures,
  "block-scaling": blockScalingFigures,
  activations: activationFigures,
  "threshold-search": thresholdSearchFigures,
};

/**
 * The figures of an experiment, the most telling first; its table is the experiment's own. A report told on the way gives
 * what it knows so far.
 */
export function labFigures(report: LabReport, palette: Palette): Figure[] {
  return (FIGURES[report.experiment] as FiguresOf<LabReport>)(report, palette);
}
