import type { Scores } from "#shared/evaluation.ts";
import type { VariantResult } from "#shared/run.ts";
import { divergenceInterval } from "#shared/intervals.ts";
import { rankVariants } from "#shared/ranking.ts";
import { variantWeightBytes } from "#shared/variantSize.ts";
import { bits, divergence, factor, number, percent, score, signed } from "../../format.ts";
import { distinctWeights } from "./finding.ts";

/** One row of the comparison: the original first, then a cell a variant. */
export interface MetricRow {
  name: string;
  title?: string;
  original: string;
  cells: { text: string; delta: string; best: boolean }[];
}

interface Metric {
  name: string;
  title?: string;
  original: string;
  value: (result: VariantResult) => number | null;
  text: (value: number | null, result: VariantResult) => string;
  delta?: (value: number) => string;
  /** Which end is better. */
  better: "low" | "high";
  /** The best does not differ significantly from others: none is marked. */
  tied?: boolean;
}

export interface MetricContext {
  baseline: Scores | null;
  decimals: number;
  /** Number of the checkpoint's weights, and their bytes; null while the model is not open. */
  model: { parameters: number; bytes: number } | null;
}

/** The rows of the comparison; a row's best variant is marked where it stands alone. */
export function metricRows(
  results: readonly VariantResult[],
  { baseline, decimals, model }: MetricContext,
): MetricRow[] {
  const original = baseline?.perplexity ?? null;
  const metrics: Metric[] = [
    {
      name: "Bits per weight",
      original: model ? bits((model.bytes * 8) / model.parameters) : "–",
      value: (r) => r.bitsPerWeight,
      text: (v) => bits(v),
      better: "low",
    },
    {
      name: "Packed size, MB",
      title: "Quantized tensors at their bits, the others as the checkpoint stores them",
      original: model ? number(model.bytes / 1e6, 2) : "–",
      value: (r) => variantWeightBytes(r, model?.parameters ?? null),
      text: (v) => number(v === null ? null : v / 1e6, 2),
      delta: (v) => (model ? factor(v / model.bytes) : ""),
      better: "low",
    },
    {
      name: "Perplexity",
      original: number(original, decimals),
      value: (r) => r.perplexity,
      text: (v, r) => score(v, decimals, r.notFinite),
      delta: (v) => (original === null ? "" : signed(v - original, decimals)),
      better: "low",
    },
    {
      name: "KL divergence, mean",
      title: "Nats per token against the original",
      original: "–",
      value: (r) => r.kl?.mean ?? null,
      text: divergence,
      better: "low",
      tied: rankVariants(distinctWeights(results)).tied.length > 0,
    },
    {
      name: "KL mean, 95%",
      title: "By a bootstrap over blocks of the text",
      original: "–",
      value: () => null,
      text: (_, r) => divergenceInterval(r),
      better: "low",
    },
    {
      name: "KL divergence, 99%",
      original: "–",
      value: (r) => r.kl?.p99 ?? null,
      text: divergence,
      better: "low",
    },
    {
      name: "Top-1 agreement",
      original: "100.0%",
      value: (r) => r.kl?.topAgreement ?? null,
      text: (v) => percent(v),
      better: "high",
    },
    {
      name: "SQNR, dB",
      title: "Over the quantized weights",
      original: "–",
      value: (r) => r.sqnrDb,
      text: (v) => number(v, 1),
      better: "high",
    },
  ];
  return metrics.map((metric) => row(metric, results));
}

function row(metric: Metric, results: readonly VariantResult[]): MetricRow {
  const values = results.map(metric.value);
  const texts = results.map((result, i) => metric.text(values[i] ?? null, result));
  const known = values.filter((value) => value !== null);
  const best = metric.better === "low" ? Math.min(...known) : Math.max(...known);
  // What is written the same is not told apart.
  const bestTexts = new Set(texts.filter((_, i) => values[i] === best));
  const alone = !metric.tied && texts.filter((text) => bestTexts.has(text)).length < results.length;
  return {
    name: metric.name,
    ...(metric.title === undefined ? {} : { title: metric.title }),
    original: metric.original,
    cells: texts.map((text, i) => ({
      text,
      delta: metric.delta && values[i] != null ? metric.delta(values[i]) : "",
      best: results.length > 1 && alone && bestTexts.has(text),
    })),
  };
}
