import type { VariantResult } from "./run.ts";

type Ranked = Pick<VariantResult, "id" | "status" | "bitsPerWeight"> & {
  kl: { mean: number | null } | null;
};

function scored(results: readonly Ranked[]): { id: string; bits: number; kl: number }[] {
  return results.flatMap((r) =>
    r.status === "done" && r.bitsPerWeight !== null && r.kl?.mean != null
      ? [{ id: r.id, bits: r.bitsPerWeight, kl: r.kl.mean }]
      : [],
  );
}

/** Id of the variant with the lowest mean KL, ties to fewer bits per weight; null while none is done. */
export function bestVariant(results: readonly Ranked[]): string | null {
  const sorted = scored(results).sort((a, b) => a.kl - b.kl || a.bits - b.bits);
  return sorted[0]?.id ?? null;
}

/** Ids that no other variant beats in bits per weight and KL at once, from fewest bits to most. */
export function paretoFront(results: readonly Ranked[]): string[] {
  const sorted = scored(results).sort((a, b) => a.bits - b.bits || a.kl - b.kl);
  const front: string[] = [];
  let lowest = Infinity;
  for (const { id, kl } of sorted) {
    if (kl < lowest) {
      front.push(id);
      lowest = kl;
    }
  }
  return front;
}
