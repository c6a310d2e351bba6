import { labFigures, type Figure, type FigureLayout, type Palette } from "#shared/figures/index.ts";
import type { LabReport } from "#shared/lab.ts";

/** Tokens of a card's chart: the whole top 20 stands in the experiment's own view. */
const CARD_TOKENS = 10;

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

/** A card has half the width: fewer tokens, shorter names of blocks. */
function forCard(report: LabReport, whole: Figure, palette: Palette, at: number): Figure {
  if (report.experiment === "token-probabilities") return labFigures(shortened(report), palette)[at] ?? whole;
  if (report.experiment !== "block-scaling") return whole;
  const { xaxis } = whole.layout as { xaxis?: FigureLayout };
  const texts = (xaxis?.["ticktext"] ?? []) as string[];
  return { ...whole, layout: { ...whole.layout, xaxis: { ...xaxis, ticktext: texts.map(shortBlock) } } };
}

/** `128²` of `128 × 128`, and of two lines the first. */
export function shortBlock(text: string): string {
  const [first = ""] = text.split("<br>");
  return first.replace(/^(\d+) × \1$/, "$1²");
}

/** Block scaling shows its effect where bits are fewest; elsewhere the first figure is the most telling. */
function placeOf(report: LabReport, all: readonly Figure[]): number {
  if (report.experiment !== "block-scaling") return 0;
  const fewest = Math.min(...report.cells.map(({ bits }) => bits));
  return Math.max(
    0,
    all.findIndex(({ id }) => id === `block-scaling-int${fewest}`),
  );
}

function shortened<R extends Extract<LabReport, { experiment: "token-probabilities" }>>(report: R): R {
  const likeliest = [...report.tokens].sort(
    (a, b) => Math.max(b.original, b.pruned) - Math.max(a.original, a.pruned),
  );
  return { ...report, tokens: likeliest.slice(0, CARD_TOKENS) };
}
