import type { MethodName } from "#shared/methods/index.ts";
import type { Granularity, RangeRule, SchemeName } from "#shared/recipe.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";

/** The inputs X of a linear over a calibration text, (tokens, columns). */
export interface InputStatistics {
  /** Σ x·xᵀ over the tokens, (columns, columns) f64; made when it is asked for, since those of a whole model do not fit in memory. */
  products?(): Float64Array;
  /** Mean x² of each column over the tokens: what the squared error of its weights counts. */
  squares(): Float32Array;
}

/** A recipe brought down to one tensor: globs, overrides and restore are resolved, the block is known to fit. */
export interface TensorPlan {
  readonly name: string;
  readonly layer: number | null;
  readonly rows: number;
  readonly columns: number;
  readonly scheme: SchemeName;
  readonly bits: number;
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  readonly range: RangeRule | null;
  readonly method: MethodName;
  /** Flat indices put back exactly; ascending, unique. `largest` is resolved when the weights are read. */
  readonly restore: { readonly indices: readonly number[] } | { readonly largest: number };
  readonly excludeFromRange: boolean;
  /** ŵ is rounded to this before it is used, as an export would store it. */
  readonly storage: StorageType;
  /** What calibration measured of the linear's inputs; absent where nothing did. */
  readonly inputs?: InputStatistics;
}
