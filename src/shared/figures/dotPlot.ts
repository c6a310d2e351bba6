import type { Scale } from "./axes.ts";
import type { FigureLayout, FigureTrace } from "./figure.ts";
import { axisTitle } from "./linePlot.ts";
import { roleStyle, type Role } from "./marks.ts";
import type { Palette } from "./palette.ts";
import { baseLayout, mergeLayout } from "./template.ts";
import { plotText, textWidth, wrapLabel } from "./words.ts";

/** A mark in a row. */
export interface Dot {
  readonly role: Role;
  readonly value: number | null;
  /** The value as it is read beside the mark; empty = none. */
  readonly text: string;
  readonly words: string;
  /** Half the length of an error bar. */
  readonly error?: number | undefined;
}

export interface DotRow {
  readonly label: string;
  readonly dots: readonly Dot[];
  /** Joins the row's outermost marks: their distance is what is read. */
  readonly joined?: boolean;
}

export interface DotPlot {
  readonly rows: readonly DotRow[];
  readonly x: Scale;
  readonly xLabel: string;
  /** The original's value, drawn as a dotted line down. */
  readonly reference?: number | null | undefined;
  /** Names of the marks where rows hold several: in place of labels, which would collide. */
  readonly legend?: readonly { role: Role; name: string }[];
}

/** Pixels of a row, and of each further mark where the marks of a row stand one below the other. */
const ROW = 30;
const LANE = 9;
const BOTTOM = 44;
const LEGEND_LINE = 19;
/** The width a legend may count on, in pixels: a narrow tile's. */
const LEGEND_WIDTH = 460;

/** Rows of marks on one axis, first row on top: what bars would be where zero means nothing. */
export function dotPlot(
  plot: DotPlot,
  palette: Palette,
): { traces: FigureTrace[]; layout: FigureLayout; height: number } {
  const labels = plot.rows.map(({ label }) => wrapLabel(label));
  const count = plot.rows.length;
  const values = plot.rows.flatMap(({ dots }) => dots.map(({ text }) => text));
  const top = 10 + legendLines(plot) * LEGEND_LINE;
  const row = ROW + LANE * Math.max(0, lanesOf(plot).length - 1);
  const height = top + BOTTOM + row * Math.max(1, count);
  const layout = mergeLayout(baseLayout(palette), {
    height,
    margin: { l: textWidth(labels.flat()) + 20, r: textWidth(values) + 24, t: top, b: BOTTOM },
    hovermode: "closest",
    xaxis: {
      ...plot.x.layout,
      showline: true,
      title: axisTitle(plot.x.log ? `${plot.xLabel}, log scale` : plot.xLabel, palette),
    },
    yaxis: {
      type: "linear",
      range: [count - 0.5, -0.5],
      tickmode: "array",
      tickvals: labels.map((_, i) => i),
      ticktext: labels.map((lines) => lines.map(plotText).join("<br>")),
      tickfont: { family: palette.font, size: 11, color: palette.ink2 },
    },
    shapes: [
      ...(plot.reference == null ? [] : [referenceLine(plot.reference, palette)]),
      ...plot.rows.flatMap((one, i) => joint(one, i, palette)),
    ],
    annotations: placed(plot).flatMap((dot) => valueLabel(dot, plot.x.log, palette)),
    ...(plot.legend ? { showlegend: true, legend: legendAbove(palette) } : {}),
  });
  return { traces: dotTraces(plot, palette), layout, height };
}

function legendLines({ legend }: DotPlot): number {
  if (!legend) return 0;
  const width = legend.reduce((sum, { name }) => sum + textWidth([name]) + 44, 0);
  return Math.ceil(width / LEGEND_WIDTH);
}

function legendAbove(palette: Palette): FigureLayout {
  return {
    orientation: "h",
    x: 0,
    xanchor: "left",
    y: 1,
    yanchor: "bottom",
    itemclick: false,
    itemdoubleclick: false,
    bgcolor: "rgba(0,0,0,0)",
    font: { family: palette.font, size: 11, color: palette.ink2 },
  };
}

function referenceLine(value: number, palette: Palette): FigureLayout {
  return {
    type: "line",
    xref: "x",
    x0: value,
    x1: value,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: palette.ink, width: 1, dash: "2px,3px" },
    layer: "below",
  };
}

function joint({ dots, joined }: DotRow, row: number, palette: Palette): FigureLayout[] {
  const values = dots.flatMap(({ value }) => (value === null ? [] : [value]));
  if (joined !== true || values.length < 2) return [];
  return [
    {
      type: "line",
      xref: "x",
      x0: Math.min(...values),
      x1: Math.max(...values),
      yref: "y",
      y0: row,
      y1: row,
      line: { color: palette.control, width: 1.5 },
      layer: "below",
    },
  ];
}

/** The roles that stand one below the other within a row: marks that are not joined would hide each other on one line. */
function lanesOf({ rows, legend }: DotPlot): readonly Role[] {
  if (!legend || rows.some(({ joined }) => joined)) return [];
  return legend.map(({ role }) => role);
}

interface PlacedDot extends Dot {
  readonly y: number;
}

function placed(plot: DotPlot): PlacedDot[] {
  const lanes = lanesOf(plot);
  const offset = (role: Role): number => {
    const share = LANE / (ROW + LANE * Math.max(0, lanes.length - 1));
    return lanes.length < 2 ? 0 : (lanes.indexOf(role) - (lanes.length - 1) / 2) * share;
  };
  return plot.rows.flatMap(({ dots }, row) => dots.map((dot) => ({ ...dot, y: row + offset(dot.role) })));
}

/** One trace a role: the legend names it once. */
function dotTraces(plot: DotPlot, palette: Palette): FigureTrace[] {
  const dots = placed(plot);
  const roles = [...new Set(dots.map(({ role }) => role))];
  return roles.map((role) => {
    const own = dots.filter((dot) => dot.role === role && dot.value !== null);
    const errors = own.map(({ error }) => error ?? 0);
    return {
      type: "scatter",
      mode: "markers",
      name: plotText(plot.legend?.find((entry) => entry.role === role)?.name ?? ""),
      x: own.map(({ value }) => value),
      y: own.map(({ y }) => y),
      hovertext: own.map(({ words }) => plotText(words)),
      hoverinfo: "none",
      cliponaxis: false,
      marker: roleStyle(role, palette).marker,
      ...(errors.some((error) => error > 0)
        ? { error_x: { type: "data", array: errors, color: palette.control, thickness: 1, width: 3 } }
        : {}),
    };
  });
}

/** The value right of its mark, on the pane's colour so that no hairline runs through it. */
function valueLabel({ role, value, text, y }: PlacedDot, log: boolean, palette: Palette): FigureLayout[] {
  if (value === null || text === "") return [];
  return [
    {
      x: log ? Math.log10(value) : value,
      y,
      text: plotText(text),
      showarrow: false,
      xanchor: "left",
      yanchor: "middle",
      xshift: 9,
      borderpad: 2,
      bgcolor: palette.pane,
      font: { family: palette.font, size: 11, color: roleStyle(role, palette).text },
    },
  ];
}
