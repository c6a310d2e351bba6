import type { TableRow } from "./rows.ts";

/** What lies along each axis: size over the quantized weights or the whole file, damage as KL or perplexity. */
export type SizeAxis = "bits" | "file";
export type DamageAxis = "kl" | "perplexity";

export interface ModelPoint {
  readonly row: TableRow;
  readonly x: number;
  readonly y: number;
}

/**
 * Scored variants of one model as points. A variant without divergence has no place on a logarithmic axis and is left out.
 * @param rows measured alike
 */
export function modelPoints(rows: readonly TableRow[], size: SizeAxis, damage: DamageAxis): ModelPoint[] {
  return rows.flatMap((row) => {
    const { status, bitsPerWeight, fileBitsPerWeight, kl, perplexity } = row.result;
    const x = size === "bits" ? bitsPerWeight : fileBitsPerWeight;
    const y = damage === "kl" ? (kl?.mean ?? null) : perplexity;
    return status !== "done" || x === null || y === null || y <= 0 ? [] : [{ row, x, y }];
  });
}

/** Points that no other beats in size and damage at once, from the smallest on. */
export function frontOf(points: readonly ModelPoint[]): ModelPoint[] {
  let lowest = Infinity;
  return [...points]
    .sort((a, b) => a.x - b.x || a.y - b.y)
    .filter(({ y }) => {
      const better = y < lowest;
      if (better) lowest = y;
      return better;
    });
}
