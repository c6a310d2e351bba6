import { KeystoneError } from "#shared/errors.ts";
import { type LabRequestOf } from "#shared/lab/index.ts";
import { DEFAULT_FRACTIONS, DEFAULT_THRESHOLDS } from "#shared/lab/asked.ts";
import { list } from "#shared/format.ts";
import { isFraction } from "#shared/ranges.ts";
import type { RangeRule } from "#shared/recipe.ts";

type Method = LabRequestOf<"threshold-search">["methods"][number];

/** One clip that was tried, null = none, and what it costs; less is better, null = not finite. */
export interface Tried {
  readonly range: RangeRule | null;
  readonly loss: number | null;
}

/** Rounds of refinement around the best, at most; each tries two thresholds. */
export const REFINEMENTS = 3;
/** A round that lowers the loss by less than this share is the last. */
const WORTHWHILE = 0.01;

/** What is tried first: no clipping, then every method with every threshold of its kind; `mse` has none. */
export function coarse(methods: readonly Method[], thresholds: readonly number[]): (RangeRule | null)[] {
  const ranges = [...new Set(methods)].flatMap((method): RangeRule[] =>
    method === "mse"
      ? [{ method }]
      : thresholdsOf(method, methods, thresholds).map((t) => withThreshold(method, t)),
  );
  return [null, ...ranges];
}

/**
 * Refuses thresholds that no method of the search can take: they would be passed over for defaults without a word.
 * @throws KeystoneError usage/thresholds-do-not-fit
 */
export function requireThresholds(methods: readonly Method[], thresholds: readonly number[]): void {
  const untouched = thresholds.join() === DEFAULT_THRESHOLDS.join();
  if (untouched || methods.some((method) => ownThresholds(method, methods, thresholds).length > 0)) return;
  throw new KeystoneError(
    "usage/thresholds-do-not-fit",
    `No threshold of ${list(thresholds)} suits ${list(methods)}: the percentages take fractions below 1, mse takes none.`,
    "Give thresholds that the methods take, or leave them out for the defaults.",
  );
}

/**
 * Those below 1 are fractions of the weights, the others multiples; a method without any takes the defaults. Where no percentage is
 * searched, those below 1 are multiples too.
 */
function ownThresholds(method: Method, methods: readonly Method[], thresholds: readonly number[]): number[] {
  if (method === "mse") return [];
  const fractions = methods.some(isFraction);
  return thresholds.filter((threshold) => (fractions && threshold < 1) === isFraction(method));
}

function thresholdsOf(method: Method, methods: readonly Method[], thresholds: readonly number[]): number[] {
  const own = ownThresholds(method, methods, thresholds);
  const defaults = isFraction(method) ? DEFAULT_FRACTIONS : DEFAULT_THRESHOLDS;
  return [...new Set(own.length > 0 ? own : defaults)].sort((a, b) => a - b);
}

/** The least loss, the first of equals; null before anything was tried. */
export function bestOf<T extends Tried>(tried: readonly T[]): T | null {
  const worth = ({ loss }: T): number => loss ?? Infinity;
  return tried.reduce<T | null>((best, it) => (best === null || worth(it) < worth(best) ? it : best), null);
}

/**
 * The next two thresholds, around the best: halfway, on a log scale, to its neighbours among those of its method that were tried;
 * beyond the last, as far again as to the one neighbour there is (twice, half, where there is none). None where the best has no
 * threshold.
 */
export function finer(tried: readonly Tried[]): RangeRule[] {
  const best = bestOf(tried)?.range;
  if (!best || !("threshold" in best)) return [];
  const known = tried
    .flatMap(({ range }) =>
      range && "threshold" in range && range.method === best.method ? range.threshold : [],
    )
    .sort((a, b) => a - b);
  const place = known.indexOf(best.threshold);
  const [below, above] = [known[place - 1], known[place + 1]] as const;
  /** Of the one neighbour there is. */
  const ratio = above ? above / best.threshold : below ? best.threshold / below : 2;
  const next = [
    below ? Math.sqrt(below * best.threshold) : best.threshold / ratio,
    above ? Math.sqrt(above * best.threshold) : best.threshold * ratio,
  ].map((threshold) => Number(threshold.toPrecision(3)));
  return next
    .filter((threshold) => !known.includes(threshold) && (!isFraction(best.method) || threshold < 1))
    .map((threshold) => withThreshold(best.method, threshold));
}

/** Whether a round of refinement gained enough to go on. */
export function worthwhile(before: number | null, after: number | null): boolean {
  return before === null || (after !== null && after < before * (1 - WORTHWHILE));
}

function withThreshold(method: Exclude<Method, "mse">, threshold: number): RangeRule {
  return { method, threshold };
}
