import { magnitudeScale, percentScale } from "#shared/figures/axes.ts";
import { blockAxis, sortBlocks } from "#shared/figures/blockAxis.ts";
import type { Figure, Palette } from "#shared/figures/index.ts";
import { layerAxis } from "#shared/figures/template.ts";
import type { ExperimentName, LabReportOf, LabResult } from "#shared/lab.ts";
import { granularityLabel } from "#shared/recipeText.ts";
import { when } from "#shared/format.ts";
import { resultName } from "./labText.ts";
import { axisRange, factorEnds } from "./scaling.ts";
import type { Compared } from "./compared.ts";
import { type Line } from "./compareTable.ts";
import { measures, ratio } from "./compareMeasures.ts";
import { TIMES, lines, dots, magnitude, median } from "./compareFigure.ts";

/** Results as they are compared: A first, each with a name that tells it from the others. */
export function comparedOf(results: readonly LabResult[]): Compared[] {
  const summaries = results.map(({ summary }) => summary);
  return results.map(({ summary, report }, place) => ({
    place,
    letter: "ABCD".charAt(place),
    name: resultName(summary, summaries, when(summary.created)),
    report,
  }));
}

export type ComparedOf<E extends ExperimentName> = Omit<Compared, "report"> & { report: LabReportOf<E> };

/** Charts that hold the results side by side. Perplexities are drawn as multiples of each model's own original. */
export function compareFigures(
  experiment: ExperimentName,
  compared: readonly Compared[],
  palette: Palette,
): Figure[] {
  const of = <E extends ExperimentName>(name: E): ComparedOf<E>[] =>
    compared.filter((one): one is ComparedOf<E> => one.report.experiment === name);
  switch (experiment) {
    case "sensitivity":
      return compareSensitivity(of("sensitivity"), palette);
    case "super-activations":
      return compareSuperActivations(of("super-activations"), palette);
    case "block-scaling":
      return compareBlocks(of("block-scaling"), palette);
    case "token-probabilities":
      return [compareTokens(of("token-probabilities"), palette)];
    case "importance":
    case "activations":
    case "threshold-search":
      return [compareRows(experiment, compared, palette)];
  }
}

function compareSensitivity(compared: readonly ComparedOf<"sensitivity">[], palette: Palette): Figure[] {
  const points = compared.flatMap((one) =>
    [...one.report.points]
      .sort((a, b) => a.factor - b.factor)
      .map((point): Line => ({
        one,
        row: `× ${point.factor}`,
        x: point.factor,
        value: ratio(point.perplexity, one.report.original?.perplexity),
        cells: [point.perplexity, point.kl?.mean ?? null],
      })),
  );
  return [
    lines(
      {
        id: "compare-sensitivity",
        title: "Perplexity as the super weights are scaled",
        caption: "Each model against its own original, which is × 1.",
        xLabel: "factor of the super weights",
        x: {
          type: "linear",
          range: axisRange(factorEnds(points.map(({ x }) => x ?? 0))),
          nticks: 8,
          tickprefix: "× ",
        },
        yLabel: TIMES,
        reference: 1,
        columns: ["Perplexity", "KL"],
        first: "Factor",
        points,
      },
      compared,
      palette,
    ),
  ];
}

function compareSuperActivations(
  compared: readonly ComparedOf<"super-activations">[],
  palette: Palette,
): Figure[] {
  const layers = Math.max(1, ...compared.map(({ report }) => report.layers));
  return (["original", "without super weights"] as const).map((state) => {
    const points = compared.flatMap((one) => {
      const peaks = one.report.states.find(({ name }) => name === state)?.peaks ?? [];
      return Array.from({ length: one.report.layers }, (_, layer): Line => {
        const value = median(peaks.flatMap((prompt) => magnitude(prompt[layer]?.value)));
        return { one, row: String(layer), x: layer, value, cells: [value] };
      });
    });
    return lines(
      {
        id: `compare-super-activations-${state === "original" ? "original" : "without"}`,
        title: `Largest value of the residual stream, ${state}`,
        caption: "Median over the prompts, behind each layer.",
        xLabel: "layer",
        x: layerAxis(layers),
        yLabel: "largest |residual stream|",
        columns: ["Value"],
        first: "Layer",
        points: points.map((point) => ({ ...point, value: point.value === 0 ? null : point.value })),
      },
      compared,
      palette,
    );
  });
}

function compareBlocks(compared: readonly ComparedOf<"block-scaling">[], palette: Palette): Figure[] {
  const cells = compared.flatMap(({ report }) => report.cells);
  const widths = [...new Set(cells.map(({ bits }) => bits))].sort((a, b) => a - b);
  const granularities = sortBlocks(cells);
  const arms = [
    { arm: "clip-restore", words: "clipped and restored" },
    { arm: "plain", words: "plain rounding" },
  ] as const;
  return widths.flatMap((bits) =>
    arms.map(({ arm, words }) => {
      const points = compared.flatMap((one) =>
        granularities.flatMap((granularity, x): Line[] => {
          const cell = one.report.cells.find(
            (it) => it.bits === bits && it.granularity === granularity && it.arm === arm,
          );
          if (!cell) return [];
          const value = ratio(cell.scores.perplexity, one.report.original?.perplexity);
          const measured = [cell.scores.perplexity, cell.scores.kl?.mean ?? null, cell.bitsPerWeight];
          return [{ one, row: granularityLabel(granularity), x, value, cells: measured }];
        }),
      );
      return lines(
        {
          id: `compare-block-scaling-int${bits}-${arm}`,
          title: `INT${bits}, ${words}`,
          caption: "Each model against its own original, which is × 1.",
          xLabel: "weights that share one scale",
          x: blockAxis(granularities),
          yLabel: TIMES,
          reference: 1,
          columns: ["Perplexity", "KL", "Bits/weight"],
          first: "Granularity",
          points,
        },
        compared,
        palette,
      );
    }),
  );
}

function compareTokens(compared: readonly ComparedOf<"token-probabilities">[], palette: Palette): Figure {
  const states = [
    { key: "original", words: "stop word next, original" },
    { key: "pruned", words: "stop word next, without super weights" },
  ] as const;
  const points = states.flatMap(({ key, words }) =>
    compared.map((one): Line => {
      const { stopWords, entropy, kl, prompts } = one.report;
      const divergence = key === "pruned" ? kl : null;
      return {
        one,
        row: words,
        value: stopWords[key],
        cells: [stopWords[key], entropy[key], divergence, prompts],
      };
    }),
  );
  return dots(
    {
      id: "compare-token-probabilities",
      title: "Probability that the next token is a stop word",
      caption: "Mean over each model's prompts; stop words and punctuation count.",
      xLabel: "probability",
      x: percentScale(),
      columns: ["Stop words", "Entropy, nats", "KL", "Prompts"],
      first: "State",
      points,
    },
    compared,
    palette,
  );
}

function compareRows(
  experiment: "importance" | "activations" | "threshold-search",
  compared: readonly Compared[],
  palette: Palette,
): Figure {
  const { title, columns, first, points } = measures(experiment, compared);
  const drawn = points.filter(({ value }) => value !== null);
  return dots(
    {
      id: `compare-${experiment}`,
      title,
      caption: "Each model against its own original, the dotted line.",
      xLabel: TIMES,
      x: magnitudeScale([1, ...drawn.map(({ value }) => value)]),
      reference: 1,
      columns,
      first,
      points,
    },
    compared,
    palette,
  );
}
