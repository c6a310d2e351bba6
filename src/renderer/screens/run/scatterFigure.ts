import type { Layout, Trace } from "plotly.js-strict-dist-min";
import type { Interval } from "#shared/bootstrap.ts";
import { errorBars } from "#shared/intervals.ts";
import type { VariantResult } from "#shared/run.ts";
import type { ChartTheme } from "#renderer/charts/chartTheme.ts";
import { number } from "#renderer/format.ts";
import { isRestored } from "#shared/recipe.ts";
import type { LabelPlace } from "./labelPlace.ts";

/** Room around the plot, in pixels. */
export const MARGIN = { l: 52, r: 20, t: 12, b: 34 };
const WEBGL_ABOVE = 2_000;

/** A scored variant: its size in bits per weight, and its damage. */
export interface ScatterPoint {
  readonly result: VariantResult;
  readonly x: number;
  readonly y: number;
  readonly interval: Interval | null;
}

export interface ScatterView {
  /** Over the quantized weights, or over all tensors of the file. */
  readonly size: "bits" | "file";
  readonly xRange: readonly [number, number];
  readonly yAxis: Layout;
  /** The original's damage; null where it has none to show. */
  readonly original: number | null;
  /** Where at its line the original's label stands. */
  readonly labelled: LabelPlace | null;
  readonly decimals: number;
}

/** Size against damage: restored variants gold and filled, the others grey and hollow, with the line of those on the front. */
export function scatterFigure(
  points: readonly ScatterPoint[],
  front: readonly ScatterPoint[],
  { size, xRange, yAxis, original, labelled, decimals }: ScatterView,
  theme: ChartTheme,
): { data: Trace[]; layout: Layout } {
  const type = points.length > WEBGL_ABOVE ? "scattergl" : "scatter";
  const restored = points.filter(({ result }) => isRestored(result.recipe));
  const others = points.filter(({ result }) => !isRestored(result.recipe));
  return {
    data: [
      {
        type: "scatter",
        mode: "lines",
        x: front.map(({ x }) => x),
        y: front.map(({ y }) => y),
        line: { color: theme.ink, width: 1, shape: "hv" },
        hoverinfo: "skip",
      },
      marks(
        type,
        others,
        { symbol: "circle-open", size: 7, color: theme.ink3, line: { width: 1.25, color: theme.ink3 } },
        theme.ink3,
      ),
      marks(
        type,
        restored,
        { symbol: "circle", size: 7, color: theme.sw, line: { width: 1, color: theme.swLine } },
        theme.swLine,
      ),
    ],
    layout: {
      margin: MARGIN,
      hovermode: "closest",
      hoverdistance: 12,
      xaxis: {
        range: xRange,
        title: {
          text: size === "bits" ? "bits per weight" : "bits per weight, whole file",
          font: { size: 11 },
          standoff: 6,
        },
        nticks: 6,
      },
      yaxis: yAxis,
      shapes:
        original === null
          ? []
          : [
              {
                type: "line",
                xref: "paper",
                x0: 0,
                x1: 1,
                yref: "y",
                y0: original,
                y1: original,
                line: { color: theme.ink, width: 1, dash: "2px,3px" },
              },
            ],
      annotations:
        original === null || labelled === null
          ? []
          : [
              {
                xref: "paper",
                x: labelled.end === "right" ? 1 : 0,
                xanchor: labelled.end,
                yref: "y",
                y: Math.log10(original),
                yanchor: labelled.side === "above" ? "bottom" : "top",
                text: `original ${number(original, decimals)}`,
                showarrow: false,
                font: { size: 11, color: theme.ink2 },
              },
            ],
    },
  };
}

function marks(
  type: "scatter" | "scattergl",
  some: readonly ScatterPoint[],
  marker: Record<string, unknown>,
  color: string,
): Trace {
  return {
    type,
    mode: "markers",
    x: some.map(({ x }) => x),
    y: some.map(({ y }) => y),
    customdata: some.map(({ result }) => result.id),
    marker,
    ...errorBars(
      some.map(({ y, interval }) => ({ value: y, interval })),
      color,
    ),
    hoverinfo: "none",
    cliponaxis: false,
  };
}
