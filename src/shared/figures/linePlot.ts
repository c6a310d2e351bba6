import type { Interval } from "../bootstrap.ts";
import { errorBars } from "../intervals.ts";
import { axisLabel, type Scale } from "./axes.ts";
import type { FigureLayout, FigureTrace } from "./figure.ts";
import { roleStyle, type Role } from "./marks.ts";
import type { Palette } from "./palette.ts";
import { baseLayout, mergeLayout } from "./template.ts";
import { plotText, textWidth } from "./words.ts";

/** One line of a line plot; a value of null is a gap. */
export interface Series {
  /** What the line is, said at its end. Empty = no label. */
  readonly name: string;
  readonly role: Role;
  readonly points: readonly {
    x: number;
    y: number | null;
    words: string;
    /** Drawn as an error bar. */
    interval?: Interval | null;
  }[];
  /** Dots at the points; default true. */
  readonly dots?: boolean;
}

export interface LinePlot {
  readonly series: readonly Series[];
  readonly y: Scale;
  /** What y measures. */
  readonly yLabel: string;
  /** What x measures; stands below the axis. */
  readonly xLabel: string;
  /** The x axis: type, range, ticks. */
  readonly x: FigureLayout;
  /** The original, drawn as a dotted line across. */
  readonly reference?: { value: number; text: string } | undefined;
  readonly height: number;
}

const TOP = 30;
const BOTTOM = 40;
const LEFT = 56;
const LABEL_GAP = 10;

/** Lines over a numeric axis with their names at their ends, pushed apart where they would meet. */
export function linePlot(plot: LinePlot, palette: Palette): { traces: FigureTrace[]; layout: FigureLayout } {
  const names = plot.series.filter(hasPoints).map(({ name }) => name);
  const right = Math.max(
    16,
    textWidth([...names, ...(plot.reference ? [plot.reference.text] : [])]) + LABEL_GAP + 4,
  );
  const bottom = BOTTOM + (hasTwoLineTicks(plot.x) ? 12 : 0);
  const layout = mergeLayout(baseLayout(palette), {
    height: plot.height,
    margin: { l: LEFT, r: right, t: TOP, b: bottom },
    hovermode: "closest",
    xaxis: { ...plot.x, title: axisTitle(plot.xLabel, palette) },
    yaxis: plot.y.layout,
    shapes: plot.reference ? [referenceLine(plot.reference.value, palette)] : [],
    annotations: [
      axisLabel(plot.yLabel, plot.y, palette),
      ...endLabels(plot, plot.height - TOP - bottom, palette),
    ],
  });
  return { traces: plot.series.map((series) => lineTrace(series, palette)), layout };
}

/** What an axis measures, below its ticks. */
export function axisTitle(text: string, palette: Palette): FigureLayout {
  return { text, standoff: 8, font: { family: palette.font, size: 11, color: palette.ink3 } };
}

function hasPoints({ points }: Series): boolean {
  return points.some(({ y }) => y !== null);
}

function hasTwoLineTicks(x: FigureLayout): boolean {
  const texts = x["ticktext"];
  return Array.isArray(texts) && texts.some((text) => typeof text === "string" && text.includes("<br>"));
}

function lineTrace({ name, role, points, dots = true }: Series, palette: Palette): FigureTrace {
  const { line, marker } = roleStyle(role, palette);
  return {
    type: "scatter",
    mode: dots ? "lines+markers" : "lines",
    name: plotText(name),
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    hovertext: points.map(({ words }) => plotText(words)),
    hoverinfo: "none",
    connectgaps: false,
    cliponaxis: false,
    line,
    marker,
    ...errorBars(
      points.map(({ y, interval }) => ({ value: y ?? NaN, interval: y === null ? null : interval })),
      line["color"],
    ),
  };
}

function referenceLine(value: number, palette: Palette): FigureLayout {
  return {
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    yref: "y",
    y0: value,
    y1: value,
    line: { color: palette.ink, width: 1, dash: "2px,3px" },
    layer: "below",
  };
}

interface End {
  readonly text: string;
  readonly color: string;
  /** Where the line ends; null = at the right edge, among the others. */
  readonly x: number | null;
  /** In the axis's own unit. */
  readonly y: number;
}

/** Each line's name beside its end: in the right margin for those that reach it, beside the last point for the others. */
function endLabels(plot: LinePlot, plotHeight: number, palette: Palette): FigureLayout[] {
  const [low, high] = plot.y.range;
  const inUnit = (y: number): number => (plot.y.log ? Math.log10(y) : y);
  const last = plot.series.map(({ points }) => points.findLast(({ y }) => y !== null));
  const rightmost = Math.max(...last.map((point) => point?.x ?? -Infinity));
  const ends: End[] = plot.series.flatMap(({ name, role }, i) => {
    const point = last[i];
    if (point?.y == null || name === "") return [];
    const x = point.x === rightmost ? null : point.x;
    return [{ text: name, color: roleStyle(role, palette).text, x, y: inUnit(point.y) }];
  });
  if (plot.reference) {
    const { text, value } = plot.reference;
    ends.push({ text, color: palette.ink2, x: null, y: inUnit(value) });
  }
  const margin = ends.filter(({ x }) => x === null);
  const shifts = apart(margin.map(({ y }) => ((y - low) / (high - low)) * plotHeight));
  const isLog = plot.x["type"] === "log";
  return ends.map((end) => ({
    ...(end.x === null ? { xref: "paper", x: 1 } : { x: isLog ? Math.log10(end.x) : end.x }),
    y: end.y,
    text: plotText(end.text),
    showarrow: false,
    xanchor: "left",
    yanchor: "middle",
    xshift: LABEL_GAP,
    yshift: end.x === null ? (shifts[margin.indexOf(end)] ?? 0) : 0,
    align: "left",
    font: { family: palette.font, size: 11, color: end.color },
  }));
}

/** The least distance between two labels, in pixels. */
const LINE_HEIGHT = 14;

/** How far each place must move so that no two are closer than a line: those that would meet share the push. */
export function apart(places: readonly number[], least = LINE_HEIGHT): number[] {
  const order = places.map((_, i) => i).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const groups: { indices: number[]; middle: number }[] = [];
  for (const index of order) {
    let group = { indices: [index], middle: places[index] ?? 0 };
    for (let before = groups.at(-1); before && overlap(before, group, least); before = groups.at(-1)) {
      groups.pop();
      const indices = [...before.indices, ...group.indices];
      group = { indices, middle: indices.reduce((sum, i) => sum + (places[i] ?? 0), 0) / indices.length };
    }
    groups.push(group);
  }
  const shifts = places.map(() => 0);
  for (const { indices, middle } of groups) {
    indices.forEach((index, i) => {
      shifts[index] = middle + (i - (indices.length - 1) / 2) * least - (places[index] ?? 0);
    });
  }
  return shifts;
}

function overlap(
  below: { indices: readonly number[]; middle: number },
  above: { indices: readonly number[]; middle: number },
  least: number,
): boolean {
  const needed = ((below.indices.length + above.indices.length) / 2) * least;
  return above.middle - below.middle < needed;
}
