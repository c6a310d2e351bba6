import { power } from "#shared/format.ts";

/** Four significant digits, thousands separated, a true minus sign; tiny and huge values with an exponent. */
export function figure(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) return power(value);
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 }).replace("-", "−");
}

/** A part of one as per cent, three significant digits. */
export function percentOf(part: number): string {
  return `${figure(Number((100 * part).toPrecision(3)))}%`;
}
