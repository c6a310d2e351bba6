import { bootstrapInterval, LEVEL, RESAMPLES, type BlockSums, type Interval } from "#shared/bootstrap.ts";
import type { Confidence } from "#shared/evaluation.ts";
import type { TextBlocks } from "./blocks.ts";

/** Of every scored token, in window order. */
export interface TokenFigures {
  /** Nats. */
  readonly nll: Float32Array;
  /** The original's; absent of the original itself, as are the next two. */
  readonly originalNll?: Float32Array;
  readonly kl?: Float32Array;
  readonly topAgrees?: Float32Array;
}

/** Sums are kept to so many digits: more than f32 figures have. */
const DIGITS = 7;

/**
 * 95% intervals by a bootstrap over blocks of the text, and the blocks' sums, from which paired differences are made.
 * @returns null where a figure or the end of an interval is not finite
 */
export function confidenceOf(blocks: TextBlocks, figures: TokenFigures): Confidence | null {
  const { nll, originalNll, kl, topAgrees } = figures;
  const tokens = blockTokens(blocks);
  const sums = (values: ArrayLike<number>): BlockSums => ({ sums: blockSums(blocks, values), tokens });
  const own = sums(nll);
  const ofNll = bootstrapInterval(own);
  const perplexity: Interval = [Math.exp(ofNll[0]), Math.exp(ofNll[1])];
  const divergence = kl && sums(kl);
  const intervals = {
    nll: ofNll,
    perplexity,
    ...(originalNll ? { nllAdded: bootstrapInterval(difference(own, sums(originalNll))) } : {}),
    ...(divergence ? { kl: bootstrapInterval(divergence) } : {}),
    ...(topAgrees ? { topAgreement: bootstrapInterval(sums(topAgrees)) } : {}),
  };
  const ends = Object.values(intervals).flat();
  if (!ends.every(Number.isFinite)) return null;
  return {
    level: LEVEL,
    resamples: RESAMPLES,
    unit: blocks.unit,
    intervals,
    tokens,
    nll: own.sums.map(rounded),
    ...(divergence ? { kl: divergence.sums.map(rounded) } : {}),
  };
}

function blockTokens({ begins, scored }: TextBlocks): number[] {
  return begins.map((begin, i) => (begins[i + 1] ?? scored) - begin);
}

function blockSums({ begins, scored }: TextBlocks, values: ArrayLike<number>): number[] {
  return begins.map((begin, i) => {
    let sum = 0;
    for (let at = begin; at < (begins[i + 1] ?? scored); at++) sum += values[at] ?? NaN;
    return sum;
  });
}

function difference(a: BlockSums, b: BlockSums): BlockSums {
  return { sums: a.sums.map((sum, i) => sum - (b.sums[i] ?? NaN)), tokens: a.tokens };
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
