import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

/** Adding and subtracting 1.5·2^23 in f32 rounds to the nearest integer, ties to even, for |x| < 2^22. */
export const ROUND = 12582912;

/** Constants of every block, in block order. */
export type PackedConstants =
  /** w ≈ code / scale + low, both f32 (counted as f16 in bits per weight). */
  | { readonly kind: "offset"; readonly low: Float32Array; readonly scale: Float32Array }
  /** w ≈ (code − zero point)·scale; symmetric blocks have the zero point 2^(bits − 1). `scale` holds values of `scaleType`. */
  | {
      readonly kind: "integer";
      readonly scale: Float32Array;
      readonly scaleType: StorageType;
      readonly zeroPoints: Uint8Array;
    }
  /** w ≈ code·scale + low. */
  | { readonly kind: "affine"; readonly scale: Float16Array; readonly low: Float16Array }
  /** w ≈ code·scale + bias, in the checkpoint's type. */
  | { readonly kind: "biased"; readonly scale: Float32Array; readonly bias: Float32Array }
  /** w ≈ level[code]·scale. */
  | { readonly kind: "levels"; readonly scale: Float16Array | Float32Array }
  /** w ≈ (d·scale)·value[code] − dmin·minimum, scale and minimum of each run of a block; run by run, block by block. */
  | {
      readonly kind: "super-blocks";
      readonly d: Float16Array;
      readonly dmin: Float16Array;
      readonly scales: Int8Array;
      readonly minimums: Uint8Array;
    };

/** What a method makes of a tensor. */
export interface Codes {
  /** One code a weight, row-major like the tensor, 0 … levels − 1. */
  readonly codes: Uint8Array;
  /** Per block; blocks in reading order (tiles left to right, then top to bottom). */
  readonly constants: PackedConstants;
  /** How many weights clipping changed, those restored later included. */
  readonly clipped: number;
}

/** Where the weights of a block lie: source[from, to). */
export interface BlockValues {
  readonly source: Float32Array;
  readonly from: number;
  readonly to: number;
}

/**
 * One scheme at work on one tensor: holds the constants of `blocks` blocks and turns weights into codes and back.
 * All ranges are half-open. Weights and results are f32; codes are one byte a weight, 0 … levels − 1.
 */
export interface Scheme {
  readonly levels: number;
  /** Whether ŵ depends on the code and the block alone, so that a table of the levels decodes a block. */
  readonly decodesByTable: boolean;
  /**
   * Takes the constants of a block from its range.
   * @param values the block, clipped to the range or not yet; asked only where −low = high and it matters which comes first
   * @throws KeystoneError quantize/scale-overflow, quantize/range-overflow
   */
  fit(block: number, low: number, high: number, values: BlockValues): void;
  /** codes[at …] = the codes of source[from, to), which must lie in the fitted range. */
  encode(block: number, source: Float32Array, from: number, to: number, codes: Uint8Array, at: number): void;
  /** out[at …] = the f32 values of codes[from, to), not yet rounded to the storage type. */
  decode(block: number, codes: Uint8Array, from: number, to: number, out: Float32Array, at: number): void;
  constants(): PackedConstants;
}

/** Makes a scheme for `blocks` blocks, or one that reads constants that were packed before. */
export type SchemeFactory = (plan: SchemePlan, blocks: number, packed?: PackedConstants) => Scheme;

/** The SIMD kernels of a scheme: what they are set to, and what they can do. */
export interface SchemeKernels {
  configure(module: Kernels, plan: TensorPlan): void;
  /** Whether they give codes too, for formats that pack them. */
  readonly codes: boolean;
  /** Whether they search the mse threshold. */
  readonly mse: boolean;
  /** Whether constants hang on the order of a block's weights, so that signs are settled after the fit, over whole blocks. */
  readonly ordered: boolean;
}

/** A scheme's arithmetic: one for each name in `shared/schemes`. */
export interface SchemeImplementation {
  readonly create: SchemeFactory;
  /** Null = the scalar path runs. */
  readonly kernels: SchemeKernels | null;
}

/** What a scheme needs to know of a tensor's plan. */
export type SchemePlan = Pick<
  TensorPlan,
  "name" | "scheme" | "bits" | "symmetric" | "storage" | "columns" | "inputs"
>;

/**
 * The constants that were packed, as the scheme's own kind; absent where none were.
 * @throws Error where they belong to another scheme: a mistake in the program, not in a file
 */
export function constantsAs<Kind extends PackedConstants["kind"]>(
  kind: Kind,
  plan: SchemePlan,
  packed: PackedConstants | undefined,
): Extract<PackedConstants, { kind: Kind }> | undefined {
  if (packed && !isOf(kind, packed))
    throw new Error(`These packed constants do not belong to the scheme ${plan.scheme}.`);
  return packed;
}

function isOf<Kind extends PackedConstants["kind"]>(
  kind: Kind,
  packed: PackedConstants,
): packed is Extract<PackedConstants, { kind: Kind }> {
  return packed.kind === kind;
}

/** One number a block: those that were packed, or room for them. */
export function perBlock(packed: Float32Array | Float16Array | undefined, blocks: number): Float32Array {
  return packed ? new Float32Array(packed) : new Float32Array(blocks);
}
