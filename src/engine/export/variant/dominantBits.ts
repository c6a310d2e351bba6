import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** The width in bits of most quantized weights; null where none is quantized. */
export function dominantBits(plans: Iterable<Pick<TensorPlan, "bits" | "rows" | "columns">>): number | null {
  const weights = new Map<number, number>();
  for (const { bits, rows, columns } of plans) weights.set(bits, (weights.get(bits) ?? 0) + rows * columns);
  const [usual] = [...weights].sort(([, a], [, b]) => b - a);
  return usual?.[0] ?? null;
}
