import { bits as bitsText, divergence, plural } from "../format.ts";
import { divergenceInterval, errorBars, perplexityBesideOriginal } from "../intervals.ts";
import { intervalSentence, tieClause } from "../ranking.ts";
import type { Interval } from "../bootstrap.ts";
import { armOf, type Arm } from "../recipe.ts";
import { granularityLabel, schemeLabel } from "../recipeText.ts";
import type { RunDetail, VariantResult } from "../run.ts";
import { axisLabel, magnitudeScale, type Scale } from "./axes.ts";
import { blockAxis, sortBlocks } from "./blockScaling.ts";
import type { Figure, FigureLayout, FigureTrace } from "./figure.ts";
import { linePlot, type Series } from "./linePlot.ts";
import { roleStyle, type Role } from "./marks.ts";
import type { Palette } from "./palette.ts";
import { cellText, perplexityText, scoreCell, type FigureColumn } from "./table.ts";
import { baseLayout, mergeLayout } from "./template.ts";
import { plotText } from "./words.ts";

/** Arms as lines: gold where super weights are restored, grey where not, told apart by shape, dash and name. */
const ARMS: readonly { arm: Arm; name: string; role: Role }[] = [
  { arm: "plain", name: "plain", role: "quantized" },
  { arm: "clip", name: "clipped", role: "clipped" },
  { arm: "clip-restore", name: "clipped, restored", role: "kept" },
  { arm: "hold-out", name: "held out", role: "held-out" },
  { arm: "restore-only", name: "restored only", role: "restored-only" },
];

/** What a sweep found: size against damage, and how each arm bears larger blocks. */
export function runFigures(run: RunDetail, palette: Palette): Figure[] {
  const done = run.results.filter(({ status }) => status === "done");
  if (done.length === 0) return [];
  const schemes = [...new Set(done.map(({ recipe }) => schemeLabel(recipe)))];
  return [
    sizeFigure(run, done, palette),
    ...schemes.flatMap((scheme) =>
      blocksFigures(
        run,
        scheme,
        done.filter(({ recipe }) => schemeLabel(recipe) === scheme),
        palette,
      ),
    ),
  ];
}

const SIZE_HEIGHT = 320;
const MARGIN = { l: 56, r: 28, t: 30, b: 40 };

function restores({ recipe }: VariantResult): boolean {
  const arm = armOf(recipe);
  return arm !== "plain" && arm !== "clip";
}

/** KL against bits per weight, with the variants that no other beats in both. */
function sizeFigure(run: RunDetail, done: readonly VariantResult[], palette: Palette): Figure {
  const points = done.flatMap((result) => {
    const { bitsPerWeight: x, kl } = result;
    return x === null || kl?.mean == null || kl.mean <= 0 ? [] : [{ result, x, y: kl.mean }];
  });
  const exact = done.filter(({ kl }) => kl?.mean === 0).length;
  const byId = new Map(points.map((point) => [point.result.id, point]));
  const front = run.pareto.flatMap((id) => byId.get(id) ?? []);
  const best = run.best === null ? undefined : byId.get(run.best);
  const bars = points.flatMap(({ result }) => result.confidence?.intervals.kl ?? []);
  const scale = magnitudeScale([...points.map(({ y }) => y), ...bars.filter((end) => end > 0)]);
  const cloud = (role: Role, some: typeof points): FigureTrace => ({
    type: "scatter",
    mode: "markers",
    x: some.map(({ x }) => x),
    y: some.map(({ y }) => y),
    hovertext: some.map(({ result, x, y }) =>
      plotText(
        `${result.label}: KL ${divergence(y)} at ${bitsText(x)} bits, perplexity ${perplexityText(result.perplexity, 4)}`,
      ),
    ),
    hoverinfo: "none",
    cliponaxis: false,
    marker: { ...roleStyle(role, palette).marker, size: 8 },
    ...errorBars(
      some.map(({ result, y }) => ({ value: y, interval: result.confidence?.intervals.kl })),
      roleStyle(role, palette).line["color"],
    ),
  });
  const sure = done.find(({ confidence }) => confidence)?.confidence;
  const labels = new Map(done.map(({ id, label }) => [id, label]));
  const tie = tieClause(run.ranking, done.length - 1, (id) => labels.get(id) ?? id);
  return {
    id: "run-size",
    title: "KL divergence against bits per weight",
    caption: `Lower left is better. Gold, filled = super weights restored or held out; grey, hollow = not. The line joins the ${plural(front.length, "variant")} that no other beats in both numbers${exact > 0 ? `; ${plural(exact, "variant")} with no divergence at all ${exact === 1 ? "is" : "are"} in the table only` : ""}.${sure ? ` ${intervalSentence(sure)}` : ""}`,
    summary: `${plural(points.length, "variant")}; ${best ? `lowest KL: ${best.result.label}, ${divergence(best.y)} at ${bitsText(best.x)} bits per weight${tie ? `, ${tie}` : ""}` : "none has been compared yet"}.`,
    height: SIZE_HEIGHT,
    traces: [
      {
        type: "scatter",
        mode: "lines",
        x: front.map(({ x }) => x),
        y: front.map(({ y }) => y),
        hoverinfo: "skip",
        line: { color: palette.ink, width: 1, shape: "hv" },
      },
      cloud(
        "quantized",
        points.filter(({ result }) => !restores(result)),
      ),
      cloud(
        "kept",
        points.filter(({ result }) => restores(result)),
      ),
    ],
    layout: mergeLayout(baseLayout(palette), {
      height: SIZE_HEIGHT,
      margin: MARGIN,
      hovermode: "closest",
      xaxis: {
        range: sizeRange(points.map(({ x }) => x)),
        nticks: 8,
        title: {
          text: "bits per weight",
          standoff: 8,
          font: { family: palette.font, size: 11, color: palette.ink3 },
        },
      },
      yaxis: scale.layout,
      annotations: [
        axisLabel("KL, nats", scale, palette),
        ...(best ? [bestLabel(best, scale.log, palette)] : []),
      ],
    }),
    table: {
      columns: [
        { title: "Variant", format: "text" },
        { title: "Bits/weight", format: "bits" },
        { title: "KL", format: "divergence" },
        { title: "95% interval", format: "text" },
        { title: "Perplexity", format: "perplexity", decimals: 4 },
        { title: "Not beaten in both", format: "text" },
      ],
      rows: done.map((result) => [
        result.label,
        result.bitsPerWeight,
        scoreCell(result.kl?.mean, result.notFinite),
        divergenceInterval(result),
        scoreCell(result.perplexity, result.notFinite),
        result.id === run.best ? "yes, lowest KL" : run.pareto.includes(result.id) ? "yes" : "",
      ]),
    },
  };
}

function sizeRange(values: readonly number[]): [number, number] {
  if (values.length === 0) return [2, 8];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.15, (high - low) * 0.06);
  return [low - room, high + room];
}

function bestLabel(
  best: { result: VariantResult; x: number; y: number },
  log: boolean,
  palette: Palette,
): FigureLayout {
  return {
    x: best.x,
    y: log ? Math.log10(best.y) : best.y,
    text: plotText(`${best.result.label}: ${divergence(best.y)}`),
    showarrow: false,
    xanchor: "right",
    yanchor: "bottom",
    xshift: -6,
    yshift: 3,
    font: { family: palette.font, size: 11, color: palette.ink },
  };
}

const BLOCKS_HEIGHT = 300;

/**
 * Perplexity by block, a line an arm, each with its best variant; only where there is more than one block to compare. Where an arm
 * leaves every scale, KL divergence by block too: it tells the good ones apart.
 */
function blocksFigures(
  run: RunDetail,
  scheme: string,
  results: readonly VariantResult[],
  palette: Palette,
): Figure[] {
  const granularities = sortBlocks(
    results.map(({ recipe, bitsPerWeight }) => ({ granularity: recipe.granularity, bitsPerWeight })),
  );
  if (granularities.length < 2) return [];
  const arms = bestByArm(results, granularities);
  const original = run.baseline?.perplexity ?? null;
  const perplexities = arms.flatMap(({ points }) => points.map(({ best }) => best.perplexity));
  const ends = (of: (best: VariantResult) => Interval | null): number[] =>
    arms.flatMap(({ points }) => points.flatMap(({ best }) => of(best) ?? [])).filter((end) => end > 0);
  const besideOriginal = (best: VariantResult): Interval | null => perplexityBesideOriginal(best, original);
  const scale = magnitudeScale([...perplexities, original, ...ends(besideOriginal)]);
  const id = scheme.replace(/[^a-z0-9]+/gi, "-");
  const perplexity = blocksFigure(
    {
      id: `run-blocks-${id}`,
      title: `${scheme}: perplexity by block size`,
      arms,
      granularities,
      measure: "perplexity",
      valueOf: (best) => best.perplexity,
      intervalOf: besideOriginal,
      format: { format: "perplexity", decimals: 4 },
      scale,
      reference:
        original === null ? undefined : { value: original, text: `original ${perplexityText(original, 2)}` },
    },
    palette,
  );
  if (!scale.log) return [perplexity];
  const divergences = arms.flatMap(({ points }) => points.map(({ best }) => best.kl?.mean || null));
  const klInterval = (best: VariantResult): Interval | null => best.confidence?.intervals.kl ?? null;
  const kl = blocksFigure(
    {
      id: `run-blocks-${id}-kl`,
      title: `${scheme}: KL divergence by block size`,
      arms,
      granularities,
      measure: "KL, nats",
      valueOf: (best) => best.kl?.mean || null,
      intervalOf: klInterval,
      format: { format: "divergence" },
      scale: magnitudeScale([...divergences, ...ends(klInterval)]),
    },
    palette,
  );
  return [perplexity, kl];
}

interface ArmLine {
  readonly name: string;
  readonly role: Role;
  readonly points: readonly { x: number; best: VariantResult }[];
}

function bestByArm(results: readonly VariantResult[], granularities: readonly string[]): ArmLine[] {
  return ARMS.flatMap(({ arm, name, role }) => {
    const own = results.filter(({ recipe }) => armOf(recipe) === arm);
    const points = granularities.flatMap((granularity, x) => {
      const best = leastKl(own.filter(({ recipe }) => recipe.granularity === granularity));
      return best ? [{ x, best }] : [];
    });
    return points.length > 0 ? [{ name, role, points }] : [];
  });
}

interface BlocksPlot {
  readonly id: string;
  readonly title: string;
  readonly arms: readonly ArmLine[];
  readonly granularities: readonly string[];
  readonly measure: string;
  readonly valueOf: (best: VariantResult) => number | null;
  readonly intervalOf: (best: VariantResult) => Interval | null;
  readonly format: Omit<FigureColumn, "title">;
  readonly scale: Scale;
  readonly reference?: { value: number; text: string } | undefined;
}

function blocksFigure(plot: BlocksPlot, palette: Palette): Figure {
  const { id, title, arms, granularities, measure, valueOf, intervalOf, format, scale, reference } = plot;
  const written = (best: VariantResult): string => cellText(valueOf(best), { title: "", ...format });
  return {
    id,
    title,
    caption:
      "As Figure 7 of the paper: lower is better; for each arm and block, the variant of least KL divergence. Bars: 95% intervals against the original on the same text.",
    summary: `${measure}: ${arms
      .map(
        ({ name, points }) =>
          `${name} ${points.map(({ x, best }) => `${granularityLabel(granularities[x] ?? "")} ${written(best)}`).join(", ")}`,
      )
      .join("; ")}.`,
    height: BLOCKS_HEIGHT,
    ...linePlot(
      {
        series: arms.map(({ name, role, points }): Series => ({
          name,
          role,
          points: points.map(({ x, best }) => ({
            x,
            y: valueOf(best),
            interval: intervalOf(best),
            words: `${best.label}: ${measure} ${written(best)}`,
          })),
        })),
        y: scale,
        yLabel: measure,
        x: blockAxis(granularities),
        xLabel: "weights that share one scale",
        reference,
        height: BLOCKS_HEIGHT,
      },
      palette,
    ),
    table: {
      columns: [
        { title: "Granularity", format: "text" },
        ...arms.map(({ name }): FigureColumn => ({ title: name, ...format })),
      ],
      rows: granularities.map((granularity, x) => [
        granularityLabel(granularity),
        ...arms.map(({ points }) => {
          const best = points.find((point) => point.x === x)?.best;
          return best ? scoreCell(valueOf(best), best.notFinite) : null;
        }),
      ]),
    },
  };
}

function leastKl(results: readonly VariantResult[]): VariantResult | null {
  const klOf = (result: VariantResult): number => result.kl?.mean ?? Infinity;
  return results.reduce<VariantResult | null>(
    (best, result) => (best === null || klOf(result) < klOf(best) ? result : best),
    null,
  );
}
