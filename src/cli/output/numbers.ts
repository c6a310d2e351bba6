import { count, decimalsThatSeparate, MISSING, number, shortCount as inProse } from "#shared/format.ts";

/** How numbers look in tables for people: as in the window, but for sizes, which have room for more digits here. */
export { count, duration, place } from "#shared/format.ts";

/** What a nullable result shows: its digits, "–" when it is missing, "not finite" when it was measured and is not a number. */
export function fixed(value: number | null | undefined, decimals: number, notFinite = false): string {
  const missing = value === null || value === undefined;
  return missing && notFinite ? "not finite" : number(value, decimals);
}

/** 1.28 B, 805.3 M, 12.3 k: for sentences. */
export function shortCount(value: number): string {
  if (value >= 1e12) return inProse(value);
  if (value >= 1e9) return `${trimmed(value / 1e9)} B`;
  if (value >= 1e6) return `${trimmed(value / 1e6)} M`;
  if (value >= 1e4) return `${trimmed(value / 1e3)} k`;
  return count(value);
}

/** Sizes of files, decimal as on the Hub: 9.91 MB. */
export function fileSize(bytes: number): string {
  if (bytes >= 1e9) return `${trimmed(bytes / 1e9)} GB`;
  if (bytes >= 1e6) return `${trimmed(bytes / 1e6)} MB`;
  if (bytes >= 1e3) return `${trimmed(bytes / 1e3)} kB`;
  return `${count(bytes)} B`;
}

/** Sizes in memory: 512 MiB, 3.4 GiB. */
export function memorySize(bytes: number): string {
  const mebi = bytes / 2 ** 20;
  return mebi >= 1024 ? `${trimmed(mebi / 1024)} GiB` : `${fixed(mebi, 0)} MiB`;
}

/** 93.4%, from a fraction. */
export function percent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? MISSING : `${fixed(fraction * 100, 1)}%`;
}

/**
 * Decimals for a column of perplexities: 2, or as many more (at most 4) as it takes for the best to look different
 * from the original.
 */
export function perplexityDecimals(original: number | null, others: readonly (number | null)[]): number {
  const finite = others.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (original === null || finite.length === 0) return 2;
  const best = Math.min(...finite);
  return best === original ? 2 : decimalsThatSeparate(best, original);
}

function trimmed(value: number): string {
  return fixed(value, value >= 100 ? 1 : 2);
}
