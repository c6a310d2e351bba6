import type { KlReport, Scores } from "#shared/evaluation.ts";
import { orNull, percentile } from "#shared/numbers.ts";
import type { WindowSet } from "./windows/windowSet.ts";

/** The text behind some figures: its size, scored or not. */
export type TextSize = Pick<WindowSet, "textTokens" | "words" | "bytes">;

/**
 * Scores from per-token figures, sums in f64. Values that are not finite become null and `notFinite` is set. Per word and per
 * byte: of the whole text, of which tokens that were not scored cost as much as those that were.
 * nll, kl: nats per scored token; topAgrees: 1 where the most likely token is the original's.
 */
export function summarize(
  nll: Float32Array,
  { textTokens, words, bytes }: TextSize,
  against?: { kl: Float32Array; topAgrees: Float32Array },
): Scores {
  const total = sum(nll);
  const mean = total / nll.length;
  const ofText = total * (textTokens / nll.length);
  const perByte = ofText / bytes;
  const values = {
    nll: mean,
    perplexity: Math.exp(mean),
    wordPerplexity: Math.exp(ofText / words),
    bytePerplexity: Math.exp(perByte),
    bitsPerByte: perByte / Math.LN2,
  };
  // of one token nothing is known
  const error = nll.length > 1 ? standardError(nll, mean) : null;
  const kl = against && klReport(against.kl, against.topAgrees);
  // a text without white space is one word, whose perplexity overflows in any model
  const { wordPerplexity, ...others } = values;
  const finite =
    [...Object.values(others), error ?? 0].every(Number.isFinite) &&
    (!kl || Object.values(kl).every((v) => v !== null));
  return {
    nll: orNull(mean),
    perplexity: orNull(values.perplexity),
    wordPerplexity: orNull(wordPerplexity),
    bytePerplexity: orNull(values.bytePerplexity),
    bitsPerByte: orNull(values.bitsPerByte),
    tokens: nll.length,
    nllStandardError: error === null ? null : orNull(error),
    ...(kl ? { kl } : {}),
    ...(finite ? {} : { notFinite: true as const }),
  };
}

/** Mean, median, 99th percentile and maximum of KL per token, and the share of tokens whose most likely token agrees. */
export function klReport(kl: Float32Array, topAgrees: Float32Array): KlReport {
  if (!kl.every(Number.isFinite)) {
    return {
      mean: null,
      median: null,
      p99: null,
      max: null,
      topAgreement: orNull(sum(topAgrees) / topAgrees.length),
    };
  }
  const sorted = Float32Array.from(kl).sort();
  return {
    mean: orNull(sum(kl) / kl.length),
    median: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: orNull(sorted[sorted.length - 1]),
    topAgreement: orNull(sum(topAgrees) / topAgrees.length),
  };
}

/** Median of a few numbers: the mean of the middle two where their count is even. */
export function median(values: readonly number[]): number {
  return (
    percentile(
      [...values].sort((a, b) => a - b),
      0.5,
    ) ?? NaN
  );
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

/** Sample standard deviation over √n. */
function standardError(values: Float32Array, mean: number): number {
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
