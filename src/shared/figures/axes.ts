import type { FigureLayout } from "./figure.ts";
import type { Palette } from "./palette.ts";
import { decade } from "./template.ts";

/** A scale for values: its options for Plotly, and what placing labels needs to know. */
export interface Scale {
  readonly layout: FigureLayout;
  readonly log: boolean;
  /** In the axis's own unit: logarithms to base 10 on a log axis. */
  readonly range: readonly [number, number];
}

/** From this ratio of largest to smallest on, values are drawn on a log axis. */
const LOG_FROM = 8;
/** Room beyond the outermost values, as a share of the range. */
const ROOM = 0.06;

/**
 * A scale for magnitudes such as perplexities: logarithmic where they span far, with ticks at 1-10-100 or 1-2-5;
 * otherwise linear and only as wide as the values, which suits points and lines (bars start at zero: `linearAxis`).
 */
export function magnitudeScale(values: readonly (number | null | undefined)[]): Scale {
  const finite = values.filter(
    (value): value is number => typeof value === "number" && Number.isFinite(value),
  );
  const positive = finite.filter((value) => value > 0);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (finite.length === 0) return linear(0, 1);
  if (positive.length === finite.length && high / low >= LOG_FROM) return logarithmic(low, high);
  const gap = high - low || Math.abs(high) * 0.1 || 1;
  return linear(low - gap * ROOM, high + gap * ROOM);
}

/** A scale for fractions that lie close together, in percent. */
export function fractionScale(values: readonly (number | null | undefined)[]): Scale {
  const finite = values.filter((value) => typeof value === "number");
  const [low, high] = finite.length > 0 ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
  const gap = high - low || 0.1;
  const { layout, range } = linear(low - gap * ROOM, high + gap * ROOM);
  return { log: false, range, layout: { ...layout, tickformat: gap < 0.04 ? ".1%" : ".0%" } };
}

/** A scale for fractions from nothing to all, in percent. */
export function percentScale(): Scale {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return {
    log: false,
    range: [-0.02, 1.02],
    layout: {
      type: "linear",
      range: [-0.02, 1.02],
      tickmode: "array",
      tickvals: ticks,
      ticktext: ticks.map((tick) => `${tick * 100}%`),
    },
  };
}

function linear(low: number, high: number): Scale {
  return { log: false, range: [low, high], layout: { type: "linear", range: [low, high], nticks: 6 } };
}

function logarithmic(low: number, high: number): Scale {
  const room = (Math.log10(high) - Math.log10(low)) * ROOM;
  const range: [number, number] = [Math.log10(low) - room, Math.log10(high) + room];
  const ticks = logTicks(range);
  return {
    log: true,
    range,
    layout: {
      type: "log",
      range,
      tickmode: "array",
      tickvals: ticks.map(({ value }) => value),
      ticktext: ticks.map(({ text }) => text),
    },
  };
}

const MOST_TICKS = 8;

function logTicks([low, high]: readonly [number, number]): { value: number; text: string }[] {
  const exponents = wholeNumbers(Math.floor(low), Math.ceil(high));
  const inside = (value: number): boolean => Math.log10(value) >= low && Math.log10(value) <= high;
  const decades = exponents.filter((exponent) => inside(10 ** exponent));
  if (decades.length < 3) {
    return exponents
      .flatMap((exponent) => [1, 2, 5].map((digit) => ({ digit, exponent })))
      .map(({ digit, exponent }) => ({
        value: digit * 10 ** exponent,
        text: digit === 1 ? decade(exponent) : plain(digit * 10 ** exponent, exponent),
      }))
      .filter(({ value }) => inside(value));
  }
  const step = Math.ceil(decades.length / MOST_TICKS);
  return decades
    .filter((_, i) => i % step === 0)
    .map((exponent) => ({ value: 10 ** exponent, text: decade(exponent) }));
}

function plain(value: number, exponent: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.max(0, -exponent) });
}

function wholeNumbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** What an axis measures, written above its left end: `perplexity, log scale`. */
export function axisLabel(text: string, scale: Pick<Scale, "log">, palette: Palette): FigureLayout {
  return {
    xref: "paper",
    yref: "paper",
    x: 0,
    y: 1,
    xanchor: "left",
    yanchor: "bottom",
    yshift: 6,
    text: scale.log ? `${text}, log scale` : text,
    showarrow: false,
    font: { family: palette.font, size: 11, color: palette.ink3 },
  };
}
