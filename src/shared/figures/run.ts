import { bits as bitsText, divergence, plural } from "../format.ts";
import { divergenceInterval, errorBars } from "../intervals.ts";
import { intervalSentence, tieClause } from "../ranking.ts";
import { isRestored } from "../recipe.ts";
import { schemeLabel } from "../recipeText.ts";
import type { RunDetail, VariantResult } from "../run.ts";
import { axisLabel, magnitudeScale } from "./axes.ts";
import type { Figure, FigureLayout, FigureTrace } from "./figure.ts";
import { roleStyle, type Role } from "./marks.ts";
import { blocksFigures } from "./runBlocks.ts";
import type { Palette } from "./palette.ts";
import { perplexityText, scoreCell } from "./table.ts";
import { baseLayout, mergeLayout } from "./template.ts";
import { plotText } from "./words.ts";

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
        points.filter(({ result }) => !isRestored(result.recipe)),
      ),
      cloud(
        "kept",
        points.filter(({ result }) => isRestored(result.recipe)),
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
