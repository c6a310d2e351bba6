import type { AblationRow } from "#shared/evaluation.ts";
import { factor, number } from "#shared/format.ts";

/** What became of the super weights in a row, as the keystone mark says it; null = the row is about other weights. */
export function markOf({ kind }: Pick<AblationRow, "kind">): "in-place" | "removed" | null {
  if (kind === "original") return "in-place";
  return kind === "largest-others" || kind === "random-others" ? null : "removed";
}

/** Length of each row's bar, 0 to 1: perplexity on a log scale over the decades that hold all rows; null where there is none. */
export function logBars(perplexities: readonly (number | null)[]): (number | null)[] {
  const known = perplexities.flatMap((value) => (value !== null && value > 0 ? [value] : []));
  const low = Math.floor(Math.log10(Math.min(...known)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...known))));
  return perplexities.map((value) =>
    value === null || value <= 0 ? null : Math.max(0.02, (Math.log10(value) - low) / (high - low)),
  );
}

/** `× 96` of the original's perplexity; nothing for the original itself. */
export function factorOf(row: AblationRow, original: AblationRow | undefined): string {
  if (row === original || !original?.perplexity || row.perplexity === null) return "";
  return factor(row.perplexity / original.perplexity);
}

/** `40.0 ± 24.5`, in percent; an accuracy of one item has no error. */
export function accuracyWords(
  accuracy: number | null | undefined,
  stderr: number | null | undefined,
): string {
  const hundred = (fraction: number | null | undefined): string =>
    number(typeof fraction === "number" ? fraction * 100 : null, 1);
  return typeof stderr === "number" ? `${hundred(accuracy)} ± ${hundred(stderr)}` : hundred(accuracy);
}
