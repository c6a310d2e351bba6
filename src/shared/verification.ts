import type { ExportReport } from "./exporting.ts";

export type Verified = NonNullable<ExportReport["verified"]>;

/**
 * What the mean NLL of a file, read as its runtime reads it, may differ from that of the judged variant, as a share of it (of 1
 * nat where it is smaller). The weights are the same bits, so what is left is settings that a format stores in f32 (angles of
 * rotary embeddings, ε) and sums in another order: some 1e-6.
 */
export const FILE_TOLERANCE = 1e-4;

/** Whether two perplexities are one number but for rounding; one that gives no number must meet one that gives none. */
export function samePerplexity(
  one: number | null,
  other: number | null,
  tolerance = FILE_TOLERANCE,
): boolean {
  if (one === null || other === null) return one === other;
  const [found, expected] = [Math.log(one), Math.log(other)];
  return Math.abs(found - expected) <= tolerance * Math.max(1, expected);
}

/**
 * What a verification amounts to: the file scores what was judged, it does not, or neither gives a number, so that only the
 * weights were compared. Records of earlier versions are judged alike.
 */
export function agreementOf({
  perplexity,
  judgedPerplexity,
}: Pick<Verified, "perplexity" | "judgedPerplexity">): "same" | "other" | "no number" {
  if (!samePerplexity(perplexity, judgedPerplexity)) return "other";
  return perplexity === null ? "no number" : "same";
}
