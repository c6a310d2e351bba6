/** How numbers look in tables for people: commas between thousands, a true minus, "–" for what is missing. */

const MISSING = "–";
const NOT_FINITE = "not finite";

/** What a nullable result shows: its digits, "–" when it is missing, "not finite" when it was measured and is not a number. */
export function fixed(value: number | null | undefined, decimals: number, notFinite = false): string {
  if (value === null || value === undefined) return notFinite ? NOT_FINITE : MISSING;
  if (!Number.isFinite(value)) return NOT_FINITE;
  const text = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  const isZero = !/[1-9]/.test(text);
  return value < 0 && !isZero ? `−${text}` : text;
}

/** 16,777,216. */
export function count(value: number): string {
  return fixed(value, 0);
}

/** 1.28 B, 805.3 M, 12.3 k: for sentences. */
export function shortCount(value: number): string {
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

/** 4.2 s, 41 s, 9:21, 1:52:10. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** 93.4 %, from a fraction. */
export function percent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? MISSING : `${fixed(fraction * 100, 1)} %`;
}

/** `[row, column]`, zero-based. */
export function place(row: number, column: number): string {
  return `[${row}, ${column}]`;
}

/**
 * Decimals for a column of perplexities: 2, or as many more (at most 4) as it takes for the best to look different
 * from the original.
 */
export function perplexityDecimals(original: number | null, others: readonly (number | null)[]): number {
  const finite = others.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (original === null || finite.length === 0) return 2;
  const best = Math.min(...finite);
  if (best === original) return 2;
  for (let decimals = 2; decimals < 4; decimals++) {
    if (fixed(best, decimals) !== fixed(original, decimals)) return decimals;
  }
  return 4;
}

function trimmed(value: number): string {
  return fixed(value, value >= 100 ? 1 : 2);
}
