import type { Scores } from "#shared/evaluation.ts";
import { divergenceInterval } from "#shared/intervals.ts";
import { parseGranularity } from "#shared/recipe.ts";
import { granularityLabel, rangeLabel, schemeLabel, restoreLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { variantWeightBytes } from "#shared/variantSize.ts";
import { bits, divergence, duration, fileSize, number, percent, score, signed } from "../../format.ts";
import type { Column } from "../../parts/table.ts";

/** What the columns need beside the rows. */
export interface ColumnContext {
  baseline: Scores | null;
  decimals: number;
  /** Weights in the checkpoint, for file sizes; null while the model is not open. */
  parameters: number | null;
  letterOf: (id: string) => string | null;
  note: (result: VariantResult) => string;
}

/** Columns of the results table. Every number is sorted and copied as it was measured. */
export function resultColumns({
  baseline,
  decimals,
  parameters,
  letterOf,
  note,
}: ColumnContext): Column<VariantResult>[] {
  const original = baseline?.perplexity ?? null;
  const delta = (result: VariantResult): number | null =>
    result.perplexity === null || original === null ? null : result.perplexity - original;
  /** Far from the original no decimal separates anything. */
  const decimalsOf = ({ perplexity }: VariantResult): number =>
    perplexity !== null && perplexity >= 1000 ? 1 : decimals;
  const size = (result: VariantResult): number | null => variantWeightBytes(result, parameters);
  return [
    { id: "pick", header: "Pick", width: "78px", text: ({ id }) => letterOf(id) ?? "" },
    {
      id: "format",
      header: "Scheme",
      width: "60px",
      text: ({ recipe }) => schemeLabel(recipe),
      sort: ({ recipe }) => schemeLabel(recipe),
    },
    {
      id: "granularity",
      header: "Granularity",
      width: "88px",
      text: ({ recipe }) => granularityLabel(recipe.granularity),
      sort: ({ recipe }) => blockSize(recipe.granularity),
    },
    {
      id: "range",
      header: "Range",
      width: "64px",
      text: ({ recipe }) => rangeLabel(recipe.range) || "off",
      sort: ({ recipe }) => rangeLabel(recipe.range),
    },
    {
      id: "arm",
      header: "Super weights",
      width: "100px",
      text: ({ recipe }) => restoreLabel(recipe) || "no",
      sort: ({ recipe }) => restoreLabel(recipe),
    },
    {
      id: "bits",
      header: "Bits/weight",
      numeric: true,
      width: "84px",
      text: (result) => bits(result.bitsPerWeight),
      sort: (result) => result.bitsPerWeight,
    },
    {
      id: "size",
      header: "Size",
      numeric: true,
      low: true,
      width: "68px",
      title: "Estimated size of the file",
      text: (result) => fileSize(size(result)),
      sort: size,
    },
    {
      id: "perplexity",
      header: "Perplexity",
      numeric: true,
      width: "88px",
      text: (result) => score(result.perplexity, decimalsOf(result), result.notFinite),
      sort: (result) => result.perplexity,
    },
    {
      id: "delta",
      header: "Δ",
      title: "Perplexity added to the original's",
      numeric: true,
      width: "84px",
      text: (result) => signed(delta(result), decimalsOf(result)),
      sort: delta,
    },
    {
      id: "kl",
      header: "KL",
      title: "Mean KL divergence from the original, nats per token",
      numeric: true,
      width: "68px",
      text: (result) => divergence(result.kl?.mean),
      sort: (result) => result.kl?.mean ?? null,
    },
    {
      id: "interval",
      header: "KL, 95%",
      title: "95% interval of the mean KL, by a bootstrap over blocks of the text",
      numeric: true,
      low: true,
      width: "128px",
      text: divergenceInterval,
      sort: (result) => result.confidence?.intervals.kl?.[1] ?? null,
    },
    {
      id: "agreement",
      header: "Top-1",
      title: "How often the most likely next token is the original's",
      numeric: true,
      low: true,
      width: "60px",
      text: (result) => percent(result.kl?.topAgreement),
      sort: (result) => result.kl?.topAgreement ?? null,
    },
    {
      id: "sqnr",
      header: "SQNR, dB",
      title: "Signal-to-quantization-noise ratio over the quantized weights",
      numeric: true,
      low: true,
      width: "76px",
      text: (result) => number(result.sqnrDb, 1),
      sort: (result) => result.sqnrDb,
    },
    {
      id: "time",
      header: "Time",
      numeric: true,
      width: "56px",
      text: (result) => duration(result.seconds),
      sort: (result) => result.seconds,
    },
    { id: "note", header: "", text: note },
  ];
}

/** Sorts blocks by the weights that share a scale; per channel before per tensor, after every size. */
function blockSize(text: string): number {
  const granularity = parseGranularity(text);
  if (granularity.kind === "tile") return granularity.rows * granularity.columns;
  if ("size" in granularity) return granularity.size;
  return granularity.kind === "channel" ? 1e13 : 1e14;
}
