import type { FigureTable } from "./table.ts";

/** Plotly's layout and trace options: plain JSON, so that a figure can cross a boundary or lie in a file. */
export type FigureLayout = Record<string, unknown>;

/** `hovertext` says each point in words, for whoever shows it; `hoverinfo` is "none" until a face wants Plotly's own box. */
export interface FigureTrace {
  type: "scatter" | "bar";
  hovertext?: readonly string[];
  [option: string]: unknown;
}

/** One chart, complete: what it shows, how it is read, how Plotly draws it, and every plotted value as a table. */
export interface Figure {
  /** Stable within its report, e.g. `sensitivity-perplexity`. */
  readonly id: string;
  readonly title: string;
  /** How the chart is read, and which figure or table of the paper it repeats. */
  readonly caption: string;
  /** What it shows, with the numbers, in one sentence: for those who do not see it. */
  readonly summary: string;
  /** Pixels. The width is the face's. */
  readonly height: number;
  readonly traces: readonly FigureTrace[];
  /** Whole, the template included. */
  readonly layout: FigureLayout;
  readonly table: FigureTable;
}
