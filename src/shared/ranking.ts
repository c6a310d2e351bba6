import { z } from "zod";
import { meanOf, pairedDifference } from "./bootstrap.ts";
import type { Confidence } from "./evaluation.ts";
import { list, plural } from "./format.ts";

/** What is ranked: a run's variants, which are defined above this. */
interface Ranked {
  id: string;
  status: string;
  bitsPerWeight: number | null;
  /** Set where it makes the weights of another one: it is no rival of that. */
  sameAs?: string | undefined;
  kl: { mean: number | null } | null;
  confidence?: Confidence | undefined;
}

/** Which variants of a run are closest to the original, and whether the text is enough to tell. */
export const ranking = z.object({
  /** Mean KL divergence from the original. */
  by: z.literal("kl"),
  /** The variant of the lowest KL, ties to fewer bits; null while none is scored. */
  best: z.string().nullable(),
  /** Others whose KL does not differ from the best's: 0 lies in the 95% interval of the paired difference. In order of KL. */
  tied: z.array(z.string()),
  /** Others that were not compared so: kept by an earlier Keystone, or on a text too short for it. */
  untested: z.number().int(),
});
export type Ranking = z.infer<typeof ranking>;

function scored<T extends Ranked>(results: readonly T[]): { result: T; bits: number; kl: number }[] {
  return results.flatMap((result) =>
    result.status === "done" &&
    result.sameAs === undefined &&
    result.bitsPerWeight !== null &&
    result.kl?.mean != null
      ? [{ result, bits: result.bitsPerWeight, kl: result.kl.mean }]
      : [],
  );
}

function byKl<T extends Ranked>(results: readonly T[]): { result: T; bits: number; kl: number }[] {
  return scored(results).sort((a, b) => a.kl - b.kl || a.bits - b.bits);
}

/** Ranks by mean KL. What was compared once is remembered, so that a run that grows is ranked again cheaply. */
export function rankVariants(results: readonly Ranked[]): Ranking {
  const [best, ...others] = byKl(results).map(({ result }) => result);
  const compared = others.map((other) => ({ id: other.id, differs: best ? differs(other, best) : null }));
  return {
    by: "kl",
    best: best?.id ?? null,
    tied: compared.filter(({ differs }) => differs === false).map(({ id }) => id),
    untested: compared.filter(({ differs }) => differs === null).length,
  };
}

/** Id of the variant with the lowest mean KL, ties to fewer bits per weight; null while none is done. */
export function bestVariant(results: readonly Ranked[]): string | null {
  return byKl(results)[0]?.result.id ?? null;
}

const known = new WeakMap<Confidence, WeakMap<Confidence, boolean>>();

/** Whether two variants' KL differs at 95%; null where that cannot be told. */
function differs({ confidence: a }: Ranked, { confidence: b }: Ranked): boolean | null {
  if (!a || !b) return null;
  const kept = known.get(b)?.get(a);
  if (kept !== undefined) return kept;
  const found = isFar(a, b) ? true : (pairedDifference(a, b, "kl")?.significant ?? null);
  if (found === null) return null;
  const pairs = known.get(b) ?? new WeakMap<Confidence, boolean>();
  known.set(b, pairs.set(a, found));
  return found;
}

/** Standard errors from which on no bootstrap would say otherwise. */
const FAR = 8;

/** A difference of very many standard errors: told without resampling, so that 10,000 variants are ranked at once. */
function isFar(a: Confidence, b: Confidence): boolean {
  if (!a.kl || !b.kl || a.tokens.length !== b.tokens.length) return false;
  const sums = a.kl.map((sum, i) => sum - (b.kl?.[i] ?? NaN));
  const mean = meanOf({ sums, tokens: a.tokens });
  const squares = sums.reduce((total, sum, i) => total + (sum - mean * (a.tokens[i] ?? 0)) ** 2, 0);
  const tokens = a.tokens.reduce((total, count) => total + count, 0);
  return Math.abs(mean) * tokens > FAR * Math.sqrt(squares);
}

/** Ids that no other variant beats in bits per weight and KL at once, from fewest bits to most. */
export function paretoFront(results: readonly Ranked[]): string[] {
  const sorted = scored(results).sort((a, b) => a.bits - b.bits || a.kl - b.kl);
  const front: string[] = [];
  let lowest = Infinity;
  for (const { result, kl } of sorted) {
    if (kl < lowest) {
      front.push(result.id);
      lowest = kl;
    }
  }
  return front;
}

/** Names written out in {@link tieClause}; more are counted. */
const MOST_NAMES = 2;

/**
 * What the ranking's lowest KL is worth, to go on a sentence with: `no significant difference from B`,
 * `significantly lower than all others`; null where nothing was compared.
 */
export function tieClause(
  { tied, untested }: Ranking,
  others: number,
  nameOf: (id: string) => string,
): string | null {
  if (tied.length > 0) {
    const names = tied.length <= MOST_NAMES ? list(tied.map(nameOf)) : plural(tied.length, "other");
    return `no significant difference from ${names}`;
  }
  if (untested > 0) return "not tested for significance";
  if (others === 0) return null;
  return others === 1 ? "significantly lower than the other" : "significantly lower than all others";
}

/** How intervals and differences were made, as one sentence. */
export function intervalSentence(confidence: Confidence): string {
  return `95% intervals: ${intervalMethod(confidence)}; differences are paired by block.`;
}

/** `BCa bootstrap over 40 blocks of consecutive tokens, 2,000 resamples`. */
export function intervalMethod({ unit, tokens, resamples }: Confidence): string {
  const of =
    unit === "documents"
      ? `${plural(tokens.length, "block")} of whole documents`
      : `${plural(tokens.length, "block")} of consecutive tokens`;
  return `BCa bootstrap over ${of}, ${plural(resamples, "resample")}`;
}
