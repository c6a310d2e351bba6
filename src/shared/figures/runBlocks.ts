import { perplexityBesideOriginal } from "../intervals.ts";
import type { Interval } from "../bootstrap.ts";
import { armOf, type Arm } from "../recipe.ts";
import { granularityLabel } from "../recipeText.ts";
import type { RunDetail, VariantResult } from "../run.ts";
import { magnitudeScale, type Scale } from "./axes.ts";
import { blockAxis, sortBlocks } from "./blockAxis.ts";
import type { Figure } from "./figure.ts";
import { linePlot, type Series } from "./linePlot.ts";
import { type Role } from "./marks.ts";
import type { Palette } from "./palette.ts";
import { cellText, perplexityText, scoreCell, type FigureColumn } from "./table.ts";

/** Arms as lines: gold where super weights are restored, grey where not, told apart by shape, dash and name. */
const ARMS: readonly { arm: Arm; name: string; role: Role }[] = [
  { arm: "plain", name: "plain", role: "quantized" },
  { arm: "clip", name: "clipped", role: "clipped" },
  { arm: "clip-restore", name: "clipped, restored", role: "kept" },
  { arm: "hold-out", name: "held out", role: "held-out" },
  { arm: "restore-only", name: "restored only", role: "restored-only" },
];

const BLOCKS_HEIGHT = 300;

/**
 * Perplexity by block, a line an arm, each with its best variant; only where there is more than one block to compare. Where an arm
 * leaves every scale, KL divergence by block too: it tells the good ones apart.
 */
export function blocksFigures(
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
