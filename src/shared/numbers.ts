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
