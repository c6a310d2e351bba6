import type { Decoder } from "#engine/architecture/description/description.ts";
import type { InputStatistics } from "#engine/quantize/plan/tensorPlan.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { Coordinate } from "#shared/recipe.ts";

/** What a recipe needs to know of the model beside its tensors. */
export interface PlanContext {
  /** What `restore: "super-weights"` stands for. */
  readonly superWeights: readonly Coordinate[];
  /** Name of a layer's `down_proj` weight, or of one of its experts'; `*` stands for the expert where none is said. */
  downProjection(layer: number, expert?: number): string;
  /** What the tensors are, for schemes that depend on it. @throws KeystoneError architecture/unknown */
  decoder(): Decoder;
  /** What calibration measured of a linear's inputs, by its tensor's name. */
  inputs?(tensor: string): InputStatistics | undefined;
  /** Rounds every ŵ to this type; absent = each tensor's own, or the half type that the scheme's runtimes make of it. */
  readonly storage?: StorageType | undefined;
}
