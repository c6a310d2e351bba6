import type { Scores } from "#shared/evaluation.ts";
import type { VariantResult } from "#shared/run.ts";
import { MISSING, significant } from "../../format.ts";

/** What the heatmap, the scatter and the lanes colour and plot by. */
export type Metric = "perplexity" | "kl";

/** Ends of a colour scale, fitted to a run: added perplexity, or KL in nats per token. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  /** Whether colours step by ratios: where the largest is many times the smallest. */
  readonly log: boolean;
}
const LEVELS = 9;
const LOG_FROM = 8;

/** The measured value of a finished variant; null where there is none or it is not finite. */
export function valueOf(result: VariantResult, metric: Metric): number | null {
  if (result.status !== "done") return null;
  return metric === "kl" ? (result.kl?.mean ?? null) : result.perplexity;
}

/** What a variant adds to the original: perplexity, or KL; null where it has no number. */
function damageOf(result: VariantResult, metric: Metric, baseline: Scores | null): number | null {
  const value = valueOf(result, metric);
  if (value === null || metric === "kl") return value;
  return baseline?.perplexity == null ? null : value - baseline.perplexity;
}

/** The scale that holds every finished variant, so that the best and the worst have the ends; null while none adds anything. */
export function fitScale(
  results: readonly VariantResult[],
  metric: Metric,
  baseline: Scores | null,
): Scale | null {
  let [low, high] = [Infinity, 0];
  let hasNone = false;
  for (const result of results) {
    const damage = damageOf(result, metric, baseline);
    if (damage === null) continue;
    if (damage <= 0) hasNone = true;
    else [low, high] = [Math.min(low, damage), Math.max(high, damage)];
  }
  if (high === 0) return null;
  const log = high / low >= LOG_FROM;
  return { low: log || !hasNone ? low : 0, high, log };
}

/** A scale's ends in two digits: `+0.0003` and `+260,000`, `0.00024` and `12`. */
export function scaleEnds(scale: Scale | null, metric: Metric): [low: string, high: string] {
  if (scale === null) return [MISSING, MISSING];
  const sign = metric === "kl" ? "" : "+";
  return [`${sign}${significant(scale.low, 2)}`, `${sign}${significant(scale.high, 2)}`];
}

/** Step of the sequential scale, 0 (the least harm of the run) to 8 (the most); null while there is nothing to colour. */
export function damageLevel(
  result: VariantResult,
  metric: Metric,
  baseline: Scores | null,
  scale: Scale | null,
): number | null {
  if (result.status !== "done") return null;
  if (result.notFinite) return LEVELS - 1;
  const damage = damageOf(result, metric, baseline);
  return damage === null ? null : levelOf(damage, scale);
}

function levelOf(damage: number, scale: Scale | null): number {
  if (scale === null || damage <= scale.low) return 0;
  const { low, high, log } = scale;
  const place = log ? Math.log(damage / low) / Math.log(high / low) : (damage - low) / (high - low);
  return Math.max(0, Math.min(LEVELS - 1, Math.floor(place * LEVELS)));
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
