import { count, power, significant } from "#shared/format.ts";
import type { Coordinate } from "#shared/recipe.ts";

export { count, plural, sentence } from "#shared/format.ts";

/** Three significant digits: `1,190`, `0.0312`; `not finite` where there is no number. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not finite";
  return value >= POWERS_FROM ? power(value) : significant(value, 3);
}
/** As in tables: no one reads the digits of a perplexity that has left every scale. */
const POWERS_FROM = 1e6;

/** Five significant digits, for perplexities that lie close together. */
export function exact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not finite";
  return significant(value, 5);
}

/** Shares below this have no digits worth reading. */
const LEAST_SHARE = 1e-6;

/** A share as percent: `42%`, `0.31%`, `less than 0.0001%`. */
export function percent(share: number): string {
  if (share > 0 && share < LEAST_SHARE) return `less than ${figure(100 * LEAST_SHARE)}%`;
  return Number.isFinite(share) ? `${figure(100 * share)}%` : figure(share);
}

/** A change as percent with its sign: `+0.31%`, `−2%`. */
export function change(share: number): string {
  const sign = share < 0 ? "−" : "+";
  return `${sign}${figure(100 * Math.abs(share))}%`;
}

/** What becomes of a loss when a share of it is gained, or lost on top: `recovers 42% of it`, `adds 16% to it`. */
export function tookBack(share: number, loss: string): string {
  return share < 0 ? `adds ${percent(-share)} to ${loss}` : `recovers ${percent(share)} of ${loss}`;
}

/** `the one prompt`, `both prompts`, `all 8 prompts`. */
export function all(value: number, one: string): string {
  if (value === 1) return `the one ${one}`;
  return value === 2 ? `both ${one}s` : `all ${count(value)} ${one}s`;
}

/** `the super weight`, `the 3 super weights`. */
export function them({ length }: readonly Coordinate[]): string {
  return length === 1 ? "the super weight" : `the ${length} super weights`;
}
