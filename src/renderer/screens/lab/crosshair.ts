import type { Figure, FigureTrace } from "#shared/figures/figure.ts";

/** Where the crosshair of a line plot stops: every x that has a value, in order. A chart of marks has none. */
export function positionsOf({ traces }: Figure): number[] {
  const xs = traces.filter(isLine).flatMap((trace) => numbersOf(trace));
  return [...new Set(xs)].sort((a, b) => a - b);
}

/** Whether a figure is drawn as lines: those gain from height, rows of marks do not. */
export function isLinePlot({ traces }: Figure): boolean {
  return traces.some(isLine);
}

/** What the lines say at one x, in words. */
export function wordsAt({ traces }: Figure, x: number): string {
  const said = traces.flatMap((trace) => {
    const at = numbersOf(trace).indexOf(x);
    const words = at < 0 ? undefined : trace.hovertext?.[at];
    return words === undefined || words === "" ? [] : [words];
  });
  return [...new Set(said)].join(" · ");
}

function isLine({ mode }: FigureTrace): boolean {
  return typeof mode === "string" && mode.includes("lines");
}

function numbersOf({ x }: FigureTrace): number[] {
  return Array.isArray(x) ? x.map((value) => (typeof value === "number" ? value : NaN)) : [];
}
