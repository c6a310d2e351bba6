import { labFigures } from "#shared/lab/index.ts";
import { type Figure, type FigureLayout, type Palette } from "#shared/figures/index.ts";
import type { LabReport } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";

/** The one chart of a card, and the figure as it is saved. */
export function overviewFigure(
  report: LabReport,
  palette: Palette,
): { drawn: Figure; whole: Figure; others: number } | null {
  const all = labFigures(report, palette);
  const at = placeOf(report, all);
  const whole = all[at];
  if (!whole) return null;
  return { drawn: forCard(report, whole, palette, at), whole, others: all.length - 1 };
}

/** A card has half the width: less of the report, shorter names on the axis. */
function forCard(report: LabReport, whole: Figure, palette: Palette, at: number): Figure {
  const { card } = EXPERIMENTS[report.experiment];
  const short = card.shortened?.(report);
  const figure = short ? (labFigures(short, palette)[at] ?? whole) : whole;
  if (!card.tick) return figure;
  const { xaxis } = figure.layout as { xaxis?: FigureLayout };
  const texts = (xaxis?.["ticktext"] ?? []) as string[];
  return {
    ...figure,
    layout: {
      ...figure.layout,
      xaxis: { ...xaxis, ticktext: texts.map((text) => card.tick?.(text) ?? text) },
    },
  };
}

/** The first figure is the most telling, unless the experiment names another. */
function placeOf(report: LabReport, all: readonly Figure[]): number {
  const telling = EXPERIMENTS[report.experiment].card.figure?.(report);
  return Math.max(
    0,
    all.findIndex(({ id }) => id === telling),
  );
}
