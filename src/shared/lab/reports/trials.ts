import { divergence, number } from "../../format.ts";
import type { RangeRule } from "../../recipe.ts";
import { rangeLabel } from "../../recipeText.ts";
import { magnitudeScale } from "../../figures/axes.ts";
import type { Figure, FigureLayout, FigureTrace } from "../../figures/figure.ts";
import { linePlot, type Series } from "../../figures/linePlot.ts";
import { roleStyle } from "../../figures/marks.ts";
import type { Palette } from "../../figures/palette.ts";
import { NOT_FINITE } from "../../figures/table.ts";

/** A clip that was tried for one line of the chart. */
export interface Trial {
  readonly series: string;
  readonly range: RangeRule | null;
  readonly loss: number | null;
  readonly best: boolean;
}

export interface TrialFigure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  /** What was minimised, with its unit. */
  readonly loss: string;
  readonly trials: readonly Trial[];
}

const HEIGHT = 260;

/** Loss against the threshold, a line a series; a clip without a threshold has its place at the right end. */
export function trialFigure({ id, title, caption, loss, trials }: TrialFigure, palette: Palette): Figure {
  const names = [...new Set(trials.map(({ series }) => series))];
  const thresholds = trials.flatMap(({ range }) => thresholdOf(range) ?? []);
  const scale = magnitudeScale(trials.map((trial) => trial.loss));
  const place = places(
    thresholds,
    trials.some(({ range }) => thresholdOf(range) === null),
  );
  const series = names.map((name, i): Series => {
    const own = trials.filter((trial) => trial.series === name);
    return {
      name,
      role: i,
      points: own
        .map((trial) => ({ x: place.at(trial.range), y: trial.loss, words: wordsOf(trial) }))
        .sort((a, b) => a.x - b.x),
    };
  });
  const plot = linePlot(
    { series, y: scale, yLabel: loss, x: place.axis, xLabel: "threshold", height: HEIGHT },
    palette,
  );
  return {
    id,
    title,
    caption,
    summary: `Least loss: ${trials
      .filter(({ best }) => best)
      .map(wordsOf)
      .join(", ")}.`,
    height: HEIGHT,
    traces: [...plot.traces, chosenMarks(trials, place.at, palette)],
    layout: plot.layout,
    table: {
      columns: [
        { title: "Series", format: "text" },
        { title: "Range", format: "text" },
        { title: loss, format: "divergence" },
        { title: "Chosen", format: "text" },
      ],
      rows: trials.map((trial) => [
        trial.series,
        rangeLabel(trial.range) || "none",
        trial.loss ?? NOT_FINITE,
        trial.best ? "chosen" : "",
      ]),
    },
  };
}

function chosenMarks(
  trials: readonly Trial[],
  at: (range: RangeRule | null) => number,
  palette: Palette,
): FigureTrace {
  const chosen = trials.filter(({ best, loss }) => best && loss !== null);
  return {
    type: "scatter",
    mode: "markers",
    name: "chosen",
    x: chosen.map(({ range }) => at(range)),
    y: chosen.map(({ loss }) => loss),
    hovertext: chosen.map((trial) => `${wordsOf(trial)}, chosen`),
    hoverinfo: "none",
    cliponaxis: false,
    marker: { ...roleStyle("kept", palette).marker, size: 11 },
  };
}

function wordsOf({ series, range, loss }: Trial): string {
  return `${series}, ${rangeLabel(range) || "no clipping"}: ${loss === null ? NOT_FINITE : divergence(loss)}`;
}

function thresholdOf(range: RangeRule | null): number | null {
  return range && "threshold" in range ? range.threshold : null;
}

/** Thresholds on a log axis: they are chosen by factors. What has none stands a step beyond the largest. */
function places(
  thresholds: readonly number[],
  others: boolean,
): { at: (range: RangeRule | null) => number; axis: FigureLayout } {
  const values = [...new Set(thresholds.filter((value) => value > 0))].sort((a, b) => a - b);
  const [least, most] = [values[0] ?? 1, values.at(-1) ?? 1];
  const beyond = most * Math.max(1.25, Math.min(4, (most / least) ** 0.25));
  const end = others ? beyond : most;
  const room = Math.max(0.02, (Math.log10(end) - Math.log10(least)) * 0.05);
  const ticks = spread(values, Math.log10(end) - Math.log10(least));
  return {
    at: (range) => thresholdOf(range) ?? beyond,
    axis: {
      type: "log",
      range: [Math.log10(least) - room, Math.log10(end) + room],
      tickmode: "array",
      tickvals: [...ticks, ...(others ? [beyond] : [])],
      ticktext: [...ticks.map(tick), ...(others ? ["no threshold"] : [])],
    },
  };
}

/** The values that have room for a tick of their own. */
function spread(values: readonly number[], decades: number): number[] {
  const kept: number[] = [];
  for (const value of values) {
    const before = kept.at(-1);
    if (before === undefined || Math.log10(value / before) >= decades / 14) kept.push(value);
  }
  return kept;
}

function tick(value: number): string {
  return value >= 0.001 ? number(value, decimalsOf(value)) : value.toExponential(0).replace("-", "−");
}

function decimalsOf(value: number): number {
  const text = String(value);
  return Math.min(4, text.includes(".") ? text.length - text.indexOf(".") - 1 : 0);
}
