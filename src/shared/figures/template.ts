import type { FigureLayout } from "./figure.ts";
import type { Palette } from "./palette.ts";

/** Markers and dashes of the variants A to D, in Plotly's words; the original is a solid ink line. */
export const VARIANT_SYMBOLS = ["circle", "square", "triangle-up", "diamond"] as const;
export const VARIANT_DASHES = ["solid", "6px,3px", "2px,3px", "8px,3px,2px,3px"] as const;

/** Dashes of detection passes: the first is solid, later ones dashed and dotted. */
export const PASS_DASHES = ["solid", "6px,3px", "2px,3px"] as const;

/** What every chart shares: horizontal hairlines only, no frame, no legend, type and colours of the tokens. */
export function baseLayout(theme: Palette): FigureLayout {
  const axis = {
    color: theme.ink3,
    tickfont: { family: theme.font, size: 11, color: theme.ink3 },
    zeroline: false,
    ticks: "",
    fixedrange: true,
    automargin: false,
  };
  return {
    autosize: true,
    margin: { l: 48, r: 16, t: 16, b: 28 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, size: 11, color: theme.ink3 },
    showlegend: false,
    dragmode: false,
    hovermode: "x",
    xaxis: { ...axis, showgrid: false, showline: true, linecolor: theme.ruleStrong, linewidth: 1 },
    yaxis: { ...axis, showgrid: true, gridcolor: theme.grid, gridwidth: 1, showline: false },
  };
}

/** Lays one layout over another; nested objects are merged, arrays and values replaced. */
export function mergeLayout(under: FigureLayout, over: FigureLayout): FigureLayout {
  const merged: FigureLayout = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isPlain(before) && isPlain(value) ? mergeLayout(before, value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is FigureLayout {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Log axis with ticks at 1-10-100 over the decades that hold the values, the lowest and highest included. */
export function logAxis(values: readonly number[]): FigureLayout {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return { type: "log", range: [0, 1] };
  const low = Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive)) - 1e-9));
  const step = Math.ceil((high - low) / 6);
  const exponents = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);
  return {
    type: "log",
    // A hair more on top, so that the highest line is drawn.
    range: [low, high + (high - low) * 0.01],
    tickmode: "array",
    tickvals: exponents.map((exponent) => 10 ** exponent),
    ticktext: exponents.map(decade),
  };
}

/** A power of ten as a tick: `0.01`, `100`, `10 k`. */
export function decade(exponent: number): string {
  const value = 10 ** exponent;
  if (exponent < -4 || exponent > 6) return `10<sup>${exponent}</sup>`;
  if (exponent > 3) return exponent < 6 ? `${value / 1e3} k` : `${value / 1e6} M`;
  return exponent < 0 ? value.toFixed(-exponent) : value.toLocaleString("en-US");
}

/** Zero-based linear axis with some room above the largest value. */
export function linearAxis(values: readonly number[]): FigureLayout {
  const top = Math.max(0, ...values.filter(Number.isFinite));
  return { type: "linear", range: [0, top > 0 ? top * 1.08 : 1], nticks: 6 };
}

/** Layer numbers along x: every one up to 16 layers, then every 2nd, 5th or 10th. */
export function layerAxis(layers: number): FigureLayout {
  const step = layers <= 16 ? 1 : layers <= 32 ? 2 : layers <= 64 ? 5 : 10;
  const ticks = Array.from({ length: Math.ceil(layers / step) }, (_, i) => i * step);
  return { range: [-0.5, layers - 0.5], tickmode: "array", tickvals: ticks, ticktext: ticks.map(String) };
}

/** Sizes of the dots: every layer up to 48 layers, above that only where `marked` holds. Set `opacity` beside it: Plotly fades bubbles. */
export function layerDots(layers: number, marked: ReadonlySet<number>, size = 5): number[] {
  return Array.from({ length: layers }, (_, layer) => (layers <= 48 || marked.has(layer) ? size : 0));
}

/** The keystone mark above a point: a Plotly shape in pixels, its narrow end on the value. */
export function keystoneShape(
  x: number,
  y: number,
  theme: Palette,
  state: "in-place" | "removed" = "in-place",
): FigureLayout {
  return {
    type: "path",
    path: "M -7 15 L 7 15 L 4 4 L -4 4 Z",
    xref: "x",
    yref: "y",
    xsizemode: "pixel",
    ysizemode: "pixel",
    xanchor: x,
    yanchor: y,
    fillcolor: state === "removed" ? "rgba(0,0,0,0)" : theme.sw,
    line: { color: theme.swLine, width: 1 },
    layer: "above",
  };
}

/** Text beside a point. On a log axis Plotly places annotations by the logarithm: pass `log`. */
export function pointLabel(
  x: number,
  y: number,
  text: string,
  theme: Palette,
  options: {
    log?: boolean;
    xshift?: number;
    yshift?: number;
    anchor?: "left" | "right" | "center";
    strong?: boolean;
    color?: string;
  } = {},
): FigureLayout {
  return {
    x,
    y: options.log ? Math.log10(y) : y,
    text,
    showarrow: false,
    xanchor: options.anchor ?? "left",
    yanchor: "middle",
    xshift: options.xshift ?? 0,
    yshift: options.yshift ?? 0,
    align: "left",
    font: { family: theme.font, size: 11, color: options.color ?? (options.strong ? theme.ink : theme.ink2) },
    bgcolor: "rgba(0,0,0,0)",
  };
}
