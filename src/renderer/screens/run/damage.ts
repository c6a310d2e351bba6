import type { Scores } from "#shared/evaluation.ts";
import type { VariantResult } from "#shared/run.ts";

/** What the heatmap, the scatter and the lanes colour and plot by. */
export type Metric = "perplexity" | "kl";

/** Ends of the two log scales, fixed so that sweeps compare: added perplexity, and KL in nats per token. */
export const SCALES: Record<Metric, { low: number; high: number }> = {
  perplexity: { low: 0.1, high: 1_000 },
  kl: { low: 1e-5, high: 10 },
};
const LEVELS = 9;

/** The measured value of a finished variant; null where there is none or it is not finite. */
export function valueOf(result: VariantResult, metric: Metric): number | null {
  if (result.status !== "done") return null;
  return metric === "kl" ? (result.kl?.mean ?? null) : result.perplexity;
}

/** Step of the sequential scale, 0 (as good as the original) to 8 (destroyed); null while there is nothing to colour. */
export function damageLevel(result: VariantResult, metric: Metric, baseline: Scores | null): number | null {
  if (result.status !== "done") return null;
  if (result.notFinite) return LEVELS - 1;
  const value = valueOf(result, metric);
  if (value === null) return null;
  if (metric === "kl") return levelOf(value, metric);
  return baseline?.perplexity == null ? null : levelOf(value - baseline.perplexity, metric);
}

function levelOf(damage: number, metric: Metric): number {
  const { low, high } = SCALES[metric];
  const place = Math.log10(Math.max(damage, low) / low) / Math.log10(high / low);
  return Math.min(LEVELS - 1, Math.floor(place * LEVELS));
}

/** Ids that no other variant beats in bits per weight and the metric at once, from fewest bits to most. */
export function frontBy(results: readonly VariantResult[], metric: Metric): VariantResult[] {
  const points = results.flatMap((result) => {
    const value = valueOf(result, metric);
    return value === null || result.bitsPerWeight === null
      ? []
      : [{ result, value, bits: result.bitsPerWeight }];
  });
  points.sort((a, b) => a.bits - b.bits || a.value - b.value);
  let lowest = Infinity;
  return points.flatMap(({ result, value }) => {
    if (value >= lowest) return [];
    lowest = value;
    return [result];
  });
}
