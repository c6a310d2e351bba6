import type { Scale } from "../figures/axes.ts";
import type { FigureLayout } from "../figures/figure.ts";
import type { Cell, FigureColumn } from "../figures/table.ts";
import { factor, number } from "../format.ts";

/** A column of a comparison: each has one way to be written. */
export const COLUMNS = {
  Perplexity: { title: "Perplexity", format: "perplexity", decimals: 4 },
  KL: { title: "KL", format: "divergence" },
  "Bits/weight": { title: "Bits/weight", format: "bits" },
  Weights: { title: "Weights", format: "count" },
  "Mean accuracy": { title: "Mean accuracy", format: "percent" },
  Recovered: { title: "Recovered", format: "percent", decimals: 0 },
  Value: { title: "Largest value", format: "number", decimals: 1 },
  "Stop words": { title: "Stop words", format: "percent" },
  "Entropy, nats": { title: "Entropy, nats", format: "number", decimals: 3 },
  Prompts: { title: "Prompts", format: "count" },
  Recipe: { title: "Recipe", format: "text" },
} as const satisfies Record<string, FigureColumn>;
export type CompareColumn = keyof typeof COLUMNS;

/** One measured point of one of the compared reports. */
export interface ComparePoint {
  /** Which report, by its place among the compared ones. */
  readonly of: number;
  /** What was measured: a factor, a layer, a row of the experiment's table. */
  readonly row: string;
  readonly x?: number;
  /** What is drawn. */
  readonly value: number | null;
  /** One for each of the comparison's columns. */
  readonly cells: readonly Cell[];
}

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly xLabel: string;
  readonly reference?: number;
  /** Heading of the column that holds the rows' names, and of those behind it. */
  readonly first: string;
  readonly columns: readonly CompareColumn[];
  readonly points: readonly ComparePoint[];
}

/** A chart that holds several results: a line each, or marks in rows. */
export type CompareChart =
  | (Chart & { readonly kind: "lines"; readonly x: FigureLayout; readonly yLabel: string })
  | (Chart & { readonly kind: "dots"; readonly x: Scale });

/** Label of an axis with perplexities as multiples of each model's own original. */
export const TIMES = "× the original's perplexity";
export const AGAINST_ORIGINAL = "Each model against its own original, which is × 1.";
export const AGAINST_DOTTED = "Each model against its own original, the dotted line.";

/** `value` as a multiple of the original's; null where either is missing. */
export function ratio(value: number | null | undefined, original: number | null | undefined): number | null {
  return value == null || original == null || original <= 0 ? null : value / original;
}

/** `× 6.4 M`; near 1 with the decimals that show a difference. */
export function times(value: number | null): string {
  if (value !== null && value > 0.99 && value < 1.1) return `× ${number(value, 4)}`;
  return value === null ? "an unknown factor" : factor(value);
}

/** A perplexity or a divergence in a live line: its digits, or that it was measured and is not a number. */
export function liveNumber(value: number | null | undefined, notFinite = false, decimals = 4): string {
  return value == null && notFinite ? "not finite" : number(value, decimals);
}
