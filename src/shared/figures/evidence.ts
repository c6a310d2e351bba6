import { coordinateOf } from "#shared/recipe.ts";
import type { Candidate, JudgedOn } from "../detection.ts";
import { coordinateWords, isSuper, klText, laterWords, VERDICT_WORDS } from "./detectionWords.ts";
import { number, plural } from "../format.ts";
import { axisLabel } from "./axes.ts";
import type { Figure, FigureLayout, FigureTrace } from "./figure.ts";
import type { Palette } from "./palette.ts";
import { LABEL_SHIFT, placeLabels, type Mark } from "./placeLabels.ts";
import { candidateTable } from "./detectionTables.ts";
import { baseLayout, mergeLayout, pointLabel } from "./template.ts";
import { divergenceText } from "./table.ts";

/** What the chart draws: candidates, and what their effects are judged against, once that is known. */
export interface Evidence {
  readonly candidates: readonly Candidate[];
  readonly judged: Pick<JudgedOn, "thresholdKl" | "null"> | null;
}

const HEIGHT = 300;
const MARGIN = { l: 60, r: 20, t: 30, b: 40 };
/** The narrowest plot that labels are placed for; in wider ones there is more room. */
const NARROW = 400;
/** Room beyond the outermost values, in decades. */
const ROOM = 0.12;

/**
 * Evidence and effect: how far a candidate's output stands out, and what the model loses without the weight. Both axes are
 * logarithmic; an effect of zero, or too small for the axis, lies on its lower edge, one that isn't finite on its upper.
 */
export function evidenceFigure({ candidates, judged }: Evidence, palette: Palette): Figure {
  const measured = plottedCandidates(candidates);
  const x = rangeOf(measured.map((one) => one.timesMedian));
  const y = effectRange(measured, judged);
  const place = (one: Candidate): { x: number; y: number } => ({
    x: fraction(Math.log10(xOf(one)), x) * NARROW,
    y: (1 - fraction(Math.log10(yOf(one, y)), y)) * (HEIGHT - MARGIN.t - MARGIN.b),
  });
  return {
    id: "evidence",
    title: "Evidence and effect",
    caption:
      "Across: how far the output stands out, as a multiple of the median layer maximum. Up: KL with the weight zeroed. Filled gold = super weights (square: only together with others); hollow = what the model does without (diamond: it cancels; triangle: seen only with other weights zeroed).",
    summary: summaryOf(measured, judged),
    height: HEIGHT,
    traces: [tracesOf(measured, y, palette)],
    layout: mergeLayout(baseLayout(palette), {
      height: HEIGHT,
      margin: MARGIN,
      hovermode: "closest",
      xaxis: {
        ...decades(x),
        title: { text: "output, × the median layer maximum", standoff: 6, font: titleFont(palette) },
      },
      yaxis: decades(y),
      shapes: limits(judged).map(({ value, dash }) => lineAt(value, dash, palette)),
      annotations: [
        axisLabel("KL with the weight zeroed", { log: true }, palette),
        ...limitLabels(judged, y, palette),
        ...candidateLabels(measured, place, y, palette),
      ],
    }),
    table: candidateTable(candidates),
  };
}

/** The candidates that have a place in the chart, in their order: those whose effect was measured. */
export function plottedCandidates(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter((one) => one.effect !== undefined);
}

function summaryOf(measured: readonly Candidate[], judged: Evidence["judged"]): string {
  if (measured.length === 0) return "No effect has been measured yet.";
  const size = ({ effect }: Candidate): number => effect?.kl ?? Infinity;
  const first = measured.reduce<Candidate | null>(
    (most, one) => (most === null || size(one) > size(most) ? one : most),
    null,
  );
  const found = measured.filter(isSuper).length;
  const largest = first
    ? ` The largest effect is ${klText(first.effect ?? { kl: null })}, of ${coordinateWords(coordinateOf(first))}, at ${number(first.timesMedian, 1)} × the median.`
    : "";
  const against = judged
    ? ` The null is ${divergenceText(judged.null.kl)}, the threshold ${divergenceText(judged.thresholdKl)}.`
    : "";
  return `${plural(measured.length, "candidate")}, ${found === 0 ? "none is a super weight" : plural(found, "super weight")}.${largest}${against}`;
}

function tracesOf(measured: readonly Candidate[], y: Range, palette: Palette): FigureTrace {
  const styles = measured.map((one) => styleOf(one, palette));
  return {
    type: "scatter",
    mode: "markers",
    x: measured.map(xOf),
    y: measured.map((one) => yOf(one, y)),
    hoverinfo: "none",
    hovertext: measured.map(pointWords),
    cliponaxis: false,
    marker: {
      opacity: 1,
      size: styles.map(({ size }) => size),
      symbol: styles.map(({ symbol }) => symbol),
      color: styles.map(({ fill }) => fill),
      line: { color: styles.map(({ edge }) => edge), width: 1.5 },
    },
  };
}

/** `layer 11 [507, 1229]: 142.0 × the median, KL 3.2600, super weight`. */
export function pointWords(one: Candidate): string {
  const later = laterWords(one);
  return [
    `${coordinateWords(coordinateOf(one))}: ${number(one.timesMedian, 1)} × the median`,
    klText(one.effect ?? { kl: null }),
    VERDICT_WORDS[one.verdict].toLowerCase(),
    ...(later === "" ? [] : [later]),
  ].join(", ");
}

/** Gold only for what the model can't live without. */
function styleOf(
  one: Candidate,
  palette: Palette,
): { symbol: string; size: number; fill: string; edge: string } {
  if (isSuper(one))
    return {
      symbol: one.verdict === "super" ? "circle" : "square",
      size: 11,
      fill: palette.sw,
      edge: palette.swLine,
    };
  const symbol = one.after.length > 0 ? "triangle-up" : one.verdict === "cancelling" ? "diamond" : "circle";
  return { symbol, size: 9, fill: palette.pane, edge: palette.ink3 };
}

type Range = readonly [number, number];

function xOf(one: Candidate): number {
  return Math.max(one.timesMedian, 1e-3);
}

/** What lies outside the axis is drawn on its edge. */
function yOf(one: Candidate, [low, high]: Range): number {
  const kl = one.effect?.kl;
  if (kl === null) return 10 ** (high - ROOM / 2);
  return Math.max(kl ?? 0, 10 ** (low + ROOM / 2));
}

function effectRange(measured: readonly Candidate[], judged: Evidence["judged"]): Range {
  const effects = measured.flatMap(({ effect }) =>
    effect?.kl != null && effect.kl > 1e-7 ? [effect.kl] : [],
  );
  return rangeOf([...effects, ...limits(judged).map(({ value }) => value)]);
}

/** Logarithms to base 10 around the values, at least a decade. */
function rangeOf(values: readonly number[]): Range {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  if (positive.length === 0) return [-3, 1];
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const missing = Math.max(0, 1 - (high - low)) / 2;
  return [low - missing - ROOM, high + missing + ROOM];
}

function fraction(value: number, [low, high]: Range): number {
  return (value - low) / (high - low);
}

function decades(range: Range): FigureLayout {
  const [low, high] = range;
  const steps = high - low < 2.5 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let exponent = Math.floor(low); exponent <= Math.ceil(high); exponent++)
    for (const step of steps) {
      const value = step * 10 ** exponent;
      if (Math.log10(value) >= low && Math.log10(value) <= high) ticks.push(value);
    }
  return {
    type: "log",
    range: [...range],
    tickmode: "array",
    tickvals: ticks,
    ticktext: ticks.map(tickText),
  };
}

function tickText(value: number): string {
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  if (exponent < -4) return `10<sup>${exponent}</sup>`;
  return number(value, Math.max(0, -exponent));
}

/** The lines that effects are read against. */
function limits(judged: Evidence["judged"]): { value: number; name: string; dash: string }[] {
  if (judged === null) return [];
  const lines = [
    { value: judged.thresholdKl, name: "super weight from", dash: "4px,3px" },
    { value: judged.null.kl ?? 0, name: "null", dash: "1px,3px" },
  ];
  return lines.filter(({ value }) => value > 0);
}

function lineAt(value: number, dash: string, palette: Palette): FigureLayout {
  return {
    type: "line",
    xref: "paper",
    yref: "y",
    x0: 0,
    x1: 1,
    y0: value,
    y1: value,
    layer: "below",
    line: { color: palette.ink2, width: 1, dash },
  };
}

/** At the right end above its line; the null's below, so that the two never touch. */
function limitLabels(judged: Evidence["judged"], y: Range, palette: Palette): FigureLayout[] {
  return limits(judged).map(({ value, name }) => {
    const isLowest = name === "null" && fraction(Math.log10(value), y) > 0.08;
    return {
      ...pointLabel(1, value, `${name} ${divergenceText(value)}`, palette, {
        log: true,
        yshift: isLowest ? -9 : 9,
        anchor: "right",
      }),
      xref: "paper",
    };
  });
}

/** The super weights' places, the strongest first, where there is room. */
function candidateLabels(
  measured: readonly Candidate[],
  place: (one: Candidate) => { x: number; y: number },
  y: Range,
  palette: Palette,
): FigureLayout[] {
  const named = measured.filter(isSuper);
  const marks: Mark[] = named.map((one) => ({ ...place(one), text: coordinateWords(coordinateOf(one)) }));
  const places = placeLabels(marks, measured.map(place), NARROW, HEIGHT - MARGIN.t - MARGIN.b);
  return named.flatMap((one, i) => {
    const placed = places[i];
    if (!placed) return [];
    const label = pointLabel(Math.log10(xOf(one)), yOf(one, y), marks[i]?.text ?? "", palette, {
      log: true,
      xshift: placed.anchor === "left" ? LABEL_SHIFT : -LABEL_SHIFT,
      yshift: placed.lift,
      anchor: placed.anchor,
      color: palette.ink,
    });
    return [label];
  });
}

function titleFont(palette: Palette): FigureLayout {
  return { family: palette.font, size: 11, color: palette.ink3 };
}
