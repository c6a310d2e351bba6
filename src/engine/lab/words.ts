import type { Coordinate } from "#shared/recipe.ts";

/** `1,279,787,008`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 row`, `1,190 rows`. */
export function plural(value: number, one: string): string {
  return value === 1 ? `1 ${one}` : `${count(value)} ${one}s`;
}

/** Three significant digits: `1,190`, `0.0312`; `not finite` where there is no number. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not finite";
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 }).replace("-", "−");
}

/** Five significant digits, for perplexities that lie close together. */
export function exact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not finite";
  return value.toLocaleString("en-US", { maximumSignificantDigits: 5 });
}

/** Shares below this have no digits worth reading. */
const LEAST_SHARE = 1e-6;

/** A share as percent: `42 %`, `0.31 %`, `less than 0.0001 %`. */
export function percent(share: number): string {
  if (share > 0 && share < LEAST_SHARE) return `less than ${figure(100 * LEAST_SHARE)} %`;
  return Number.isFinite(share) ? `${figure(100 * share)} %` : figure(share);
}

/** A change as percent with its sign: `+0.31 %`, `−2 %`. */
export function change(share: number): string {
  const sign = share < 0 ? "−" : "+";
  return `${sign}${figure(100 * Math.abs(share))} %`;
}

/** `the super weight`, `the 3 super weights`. */
export function them({ length }: readonly Coordinate[]): string {
  return length === 1 ? "the super weight" : `the ${length} super weights`;
}

/** A sentence's first letter in upper case. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
