import type { Block, Clip, CodecName } from "#shared/recipe.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";

/** A recipe brought down to one tensor: globs, overrides and restore are resolved, the block is known to fit. */
export interface TensorPlan {
  readonly name: string;
  readonly layer: number | null;
  readonly rows: number;
  readonly columns: number;
  readonly codec: CodecName;
  readonly bits: number;
  readonly symmetric: boolean;
  readonly block: Block;
  readonly clip: Clip | null;
  /** Flat indices put back exactly; ascending, unique. `largest` is resolved when the weights are read. */
  readonly restore: { readonly indices: readonly number[] } | { readonly largest: number };
  readonly holdOut: boolean;
  /** ŵ is rounded to this before it is used, as an export would store it. */
  readonly storage: StorageType;
}
