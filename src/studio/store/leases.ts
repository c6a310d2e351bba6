import type { VariantResult } from "#shared/run.ts";

/** Variants in one worker's hands. The run store has them as running: whoever reads it knows what is under way, and where. */
export interface Lease {
  readonly run: string;
  readonly worker: number;
  readonly variants: readonly VariantResult[];
}
