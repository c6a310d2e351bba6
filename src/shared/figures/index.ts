import type { LabReport } from "../lab.ts";
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

/**
 * The figures of an experiment, the most telling first; its table is the experiment's own. A report told on the way gives
 * what it knows so far.
 */
export function labFigures(report: LabReport, palette: Palette): Figure[] {
  switch (report.experiment) {
    case "importance":
      return importanceFigures(report, palette);
    case "super-activations":
      return superActivationFigures(report, palette);
    case "token-probabilities":
      return tokenProbabilityFigures(report, palette);
    case "sensitivity":
      return sensitivityFigures(report, palette);
    case "block-scaling":
      return blockScalingFigures(report, palette);
    case "activations":
      return activationFigures(report, palette);
    case "threshold-search":
      return thresholdSearchFigures(report, palette);
  }
}
