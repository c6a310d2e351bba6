import { z } from "zod";
import { klReport, scores } from "../../evaluation.ts";
import { finiteOrNull } from "../../numbers.ts";
import { bits, facts } from "./facts.ts";
import { percent } from "../../format.ts";
import { RANGE_METHODS } from "../../ranges.ts";
import { granularityText, rangeRule, isRestored, recipe } from "../../recipe.ts";
import { granularityLabel, rangeLabel } from "../../recipeText.ts";
import { magnitudeScale, type Scale } from "../../figures/axes.ts";
import { dotPlot, type DotRow } from "../../figures/dotPlot.ts";
import type { Figure } from "../../figures/figure.ts";
import type { Palette } from "../../figures/palette.ts";
import { NOT_FINITE, perplexityText, scoreCell, separatingDecimals } from "../../figures/table.ts";
import { linearAxis } from "../../figures/template.ts";
import { trialFigure, type Trial } from "./trials.ts";

export const thresholdSearchReport = z.object({
  experiment: z.literal("threshold-search"),
  ...facts,
  bits,
  granularity: granularityText,
  scope: z.enum(["model", "tensor"]),
  by: z.enum(["weight-error", "output-error"]).nullable(),
  trials: z.array(
    z.object({
      range: rangeRule.nullable(),
      /** Null for a whole-model trial. */
      tensor: z.string().nullable(),
      /** KL on the calibration text, or the tensor's relative error. */
      loss: finiteOrNull,
      best: z.boolean(),
    }),
  ),
  /** Why it ended before everything was tried; null = everything was. */
  stopped: z.string().nullable(),
  /** The found recipe as plain JSON, ready for sweep and export, and both texts' figures beside plain rounding. */
  recipe: z.unknown().nullable(),
  result: z
    .object({
      calibration: z.object({ kl: klReport.nullable(), perplexity: finiteOrNull }),
      test: scores,
      plain: scores,
      original: scores,
      bitsPerWeight: z.number(),
    })
    .nullable(),
});

type Report = z.output<typeof thresholdSearchReport>;

/** The search of the paper's section 4.2: every clip that was tried, and what the chosen ones cost on the other text. */
export function thresholdSearchFigures(report: Report, palette: Palette): Figure[] {
  return [
    report.scope === "model" ? modelTrials(report, palette) : tensorChoices(report, palette),
    ...resultFigure(report, palette),
  ];
}

function modelTrials(report: Report, palette: Palette): Figure {
  return trialFigure(
    {
      id: "threshold-search-trials",
      title: `Every range tried at INT${report.bits}, ${granularityLabel(report.granularity)}`,
      caption:
        "Section 4.2 of the paper searches the threshold on text that is not scored. KL divergence on the calibration text; gold = chosen.",
      loss: "KL, nats",
      trials: report.trials.map(({ range, loss, best }): Trial => ({
        series: range === null ? "no clipping" : RANGE_METHODS[range.method].label,
        range,
        loss,
        best,
      })),
    },
    palette,
  );
}

/** The clips that have a row of their own, at most. */
const COMMONEST = 16;

/** A row a tensor would be hundreds: the distribution of what was chosen is what is read, the table has each. */
function tensorChoices(report: Report, palette: Palette): Figure {
  const chosen = report.trials.filter(({ best }) => best);
  const counts = new Map<string, number>();
  for (const { range } of chosen) {
    const label = rangeLabel(range) || "no clipping";
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const entries = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COMMONEST);
  return {
    id: "threshold-search-choices",
    title: `The range each tensor chose at INT${report.bits}, ${granularityLabel(report.granularity)}`,
    caption: `How many of the tensors have their least ${report.by === "output-error" ? "output error on the calibration text" : "weight error"} with each clip. The paper uses one threshold for all.`,
    summary: `Of ${chosen.length} tensors: ${entries.map(([label, count]) => `${count} ${label}`).join(", ")}.`,
    ...dotPlot(
      {
        rows: entries.map(([label, count]) => ({
          label,
          dots: [
            {
              role: "quantized",
              value: count,
              text: String(count),
              words: `${label}: ${count} tensors`,
            },
          ],
        })),
        x: countScale(entries.map(([, count]) => count)),
        xLabel: "tensors",
      },
      palette,
    ),
    table: {
      columns: [
        { title: "Tensor", format: "text" },
        { title: "Range", format: "text" },
        { title: "Relative error", format: "divergence" },
        { title: "Tensors with this range", format: "count" },
      ],
      rows: chosen.map(({ tensor, range, loss }) => [
        tensor ?? "all",
        rangeLabel(range) || "none",
        loss ?? NOT_FINITE,
        counts.get(rangeLabel(range) || "no clipping") ?? 0,
      ]),
    },
  };
}

function countScale(counts: readonly number[]): Scale {
  const layout = linearAxis(counts);
  return { log: false, range: layout["range"] as [number, number], layout };
}

/** What the recipe found does, in words: the search may find no clipping, and a model may have nothing to restore. */
function foundWords({ recipe: found }: Report): string {
  const read = recipe.safeParse(found);
  if (!read.success) return "recipe found";
  const { range, overrides } = read.data;
  const clipped = range !== null || overrides.some((override) => override.range);
  const restored = isRestored(read.data);
  if (!clipped && !restored) return "no clipping found better";
  return `${clipped ? "clip found" : "no clipping"}, ${restored ? "super weights restored" : "nothing restored"}`;
}

function resultFigure(report: Report, palette: Palette): Figure[] {
  const { result } = report;
  if (!result) return [];
  const { original, plain, test } = result;
  const decimals = separatingDecimals([original.perplexity, plain.perplexity, test.perplexity]);
  const states = [
    { name: "original", role: "original", scores: original },
    { name: "plain rounding", role: "quantized", scores: plain },
    { name: foundWords(report), role: "kept", scores: test },
  ] as const;
  const written = (value: number | null): string =>
    value === null ? NOT_FINITE : perplexityText(value, decimals);
  return [
    {
      id: "threshold-search-result",
      title: "What the search gains on the scored text",
      caption: "Left is better; the dotted line is the original. This text had no part in the search.",
      summary: `Perplexity: ${states.map(({ name, scores }) => `${name} ${written(scores.perplexity)}`).join(", ")}.`,
      ...dotPlot(
        {
          rows: states.map(({ name, role, scores }): DotRow => ({
            label: name,
            dots: [
              {
                role,
                value: scores.perplexity,
                text: written(scores.perplexity),
                words: `${name}: perplexity ${written(scores.perplexity)}, top-1 agreement ${percent(scores.kl?.topAgreement)}`,
              },
            ],
          })),
          x: magnitudeScale(states.map(({ scores }) => scores.perplexity)),
          xLabel: "perplexity",
          reference: original.perplexity,
        },
        palette,
      ),
      table: {
        columns: [
          { title: "State", format: "text" },
          { title: "Perplexity", format: "perplexity", decimals },
          { title: "KL", format: "divergence" },
          { title: "Top-1 agreement", format: "percent" },
          { title: "KL, calibration", format: "divergence" },
          { title: "Bits/weight", format: "bits" },
        ],
        rows: states.map(({ name, scores }) => [
          name,
          scoreCell(scores.perplexity, true),
          scores.kl ? scoreCell(scores.kl.mean, scores.notFinite) : null,
          scores.kl?.topAgreement ?? null,
          scores === test ? (result.calibration.kl?.mean ?? null) : null,
          scores === original ? null : result.bitsPerWeight,
        ]),
      },
    },
  ];
}
