/** Columns that share a scale, as a config says it; Infinity = a whole row. */
export type GroupSize = number;

/** `group_size` as every method writes it: −1 is a whole row. Null where nothing is said. */
export function groupSizeOf(written: number | null | undefined): GroupSize | null {
  if (written === undefined || written === null) return null;
  return written > 0 ? written : Infinity;
}
