import type { Interval } from "./bootstrap.ts";
import { divergence, MISSING, number } from "./format.ts";
import type { VariantResult } from "./run.ts";

type Sure = Pick<VariantResult, "confidence">;

/** `0.2510 to 0.2840`; `–` where there is none. */
export function divergenceInterval({ confidence }: Sure): string {
  const ends = confidence?.intervals.kl;
  // From 1 nat on, two decimals: nobody compares the others.
  const written = (end: number): string => (end >= 1 ? number(end, 2) : divergence(end));
  return ends ? `${written(ends[0])} to ${written(ends[1])}` : MISSING;
}

/**
 * The perplexity that a variant comes to: the original's, taken as it is, times what the variant adds. Narrower than the interval of
 * the perplexity itself, most of which is how hard the text is, for every variant alike.
 */
export function perplexityBesideOriginal({ confidence }: Sure, original: number | null): Interval | null {
  const added = confidence?.intervals.nllAdded;
  return added && original !== null ? [original * Math.exp(added[0]), original * Math.exp(added[1])] : null;
}

/** `12.85 to 12.97`; `–` where there is none. */
export function perplexityInterval(result: Sure, original: number | null, decimals: number): string {
  const ends = perplexityBesideOriginal(result, original);
  return ends ? `${number(ends[0], decimals)} to ${number(ends[1], decimals)}` : MISSING;
}

/** Plotly's error bars for values with their intervals; a value without one has none. */
export function errorBars(
  points: readonly { readonly value: number; readonly interval: Interval | null | undefined }[],
  color: unknown,
): { error_y?: Record<string, unknown> } {
  if (points.every(({ interval }) => !interval)) return {};
  return {
    error_y: {
      type: "data",
      symmetric: false,
      array: points.map(({ value, interval }) => (interval ? Math.max(0, interval[1] - value) : null)),
      // A log axis cannot show 0.
      arrayminus: points.map(({ value, interval }) =>
        interval ? Math.min(value * 0.999, Math.max(0, value - interval[0])) : null,
      ),
      color,
      thickness: 1,
      width: 2,
    },
  };
}
