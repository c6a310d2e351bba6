import type { Note } from "#shared/notes.ts";
import type { Progress } from "#shared/contract/job.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Packed } from "#engine/quantize/quantize.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** How an export is watched and stopped. */
export interface ExportControl {
  /** Returns if the work should go on (waiting while it is paused); throws a KeystoneError (job/cancelled) otherwise. */
  check(): void | Promise<void>;
  report(progress: Progress): void;
}

/** A recipe brought down to one checkpoint, with the weights that were judged. */
export interface ExportVariant {
  readonly recipe: Recipe;
  /** SHA-256 of the recipe's canonical JSON. */
  readonly recipeId: string;
  /** The tensors that the recipe quantizes, by name; every other leaves as it is. */
  readonly plans: ReadonlyMap<string, TensorPlan>;
  /** What the person should know about the recipe on this checkpoint, one sentence each. */
  readonly notes: readonly Note[];
  /**
   * Over the quantized linears, as stored by a packed format; and over all tensors of the files that are written, which a
   * dequantized export fills with the source's own types.
   */
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
  /**
   * The weights of a planned tensor exactly as they are judged: ŵ in f32, already rounded to the tensor's storage type.
   * @param weights the original, row-major f32
   * @param out receives them; must not overlap `weights`
   */
  quantize(weights: Float32Array, plan: TensorPlan, out: Float32Array): Float32Array | Promise<Float32Array>;
  /**
   * The same weights as codes and constants: what a packed format writes.
   * @param codes receives the codes
   */
  pack(weights: Float32Array, plan: TensorPlan, codes: Uint8Array): Packed;
}

/** What evaluating the reopened export gives; the caller lends it, because evaluation needs a device. */
export interface EvaluatedExport {
  readonly perplexity: number | null;
  readonly tokens: number;
  /** The same text scored with the variant before the export; null where it was not. */
  readonly judgedPerplexity: number | null;
}
export type EvaluateExport = (reopened: Checkpoint) => Promise<EvaluatedExport>;
