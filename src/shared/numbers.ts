import { z } from "zod";

/**
 * JSON has no NaN or Infinity. In results a number that is not finite is written as `null`, and the object
 * that holds it carries `notFinite: true`.
 */
export const finiteOrNull = z.number().nullable();

/** `value` where it is finite, otherwise `null`. */
export function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Linear interpolation between order statistics of an ascending array; null where it is empty or not finite. */
export function percentile(sorted: ArrayLike<number>, fraction: number): number | null {
  if (sorted.length === 0) return null;
  const place = fraction * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  // The window's project counts an index as possibly undefined, this one does not.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-conversion
  const [below, above] = [Number(sorted[low]), Number(sorted[high])];
  return orNull(below + (above - below) * (place - low));
}
