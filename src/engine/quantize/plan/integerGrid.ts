import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { TensorPlan } from "./tensorPlan.ts";
import { F16_TINY } from "#engine/numeric/halfTypes.ts";

/** What tells the integer schemes apart; their equations are in integer.ts. */
export interface IntegerGrid {
  /** The scale of a symmetric block is its largest |w| divided by this. */
  readonly symmetricSteps: number;
  /** Smallest code of a symmetric block. */
  readonly smallest: number;
  /** The scale is rounded to each of these in turn. */
  readonly scaleTypes: readonly StorageType[];
  /** What a scale that rounds to 0 becomes. */
  readonly zeroScale: number;
  /** Codes and zero point are taken with the scale as it is stored, or as it was before rounding. */
  readonly codesFrom: "stored" | "exact";
  /** The zero point, from the scale before rounding, is added before a weight is rounded: ties fall differently. */
  readonly zeroFirst: boolean;
  /** A block of zeros counts as −emptyBound … emptyBound. */
  readonly emptyBound: number;
  /** Narrower ranges count as this wide. */
  readonly leastRange: number;
}

/** Distance between 1 and the next number of a type: what compressed-tensors puts in place of a scale of 0. */
const EPSILON: Readonly<Record<StorageType, number>> = { F32: 2 ** -23, F16: 2 ** -10, BF16: 2 ** -7 };
/** AutoAWQ's least range of a group. */
const AWQ_LEAST_RANGE = Math.fround(1e-5);

/**
 * The grid of an integer scheme.
 * - `int`: Keystone's own, an f16 scale, symmetric levels ±(2^(b−1) − 1).
 * - `compressed-tensors`: calculate_qparams and quantize of the compressed-tensors library, in f32, with scale_dtype the
 *   checkpoint's type.
 * - `gptq`: GPTQ's Quantizer.find_params; the scale is stored as f16 but rounds the codes unrounded.
 * - `awq`: AutoAWQ's pseudo_quantize_tensor, likewise.
 * A BF16 checkpoint's `gptq` and `awq` scales are rounded to what both BF16 and F16 hold: their files store F16, and runtimes
 * compute such a model in BF16.
 */
export function integerGrid(plan: Pick<TensorPlan, "scheme" | "bits" | "storage">): IntegerGrid {
  const { scheme, bits, storage } = plan;
  const half: IntegerGrid = {
    symmetricSteps: (2 ** bits - 1) / 2,
    smallest: 0,
    scaleTypes: storage === "BF16" ? ["BF16", "F16"] : ["F16"],
    zeroScale: F16_TINY,
    codesFrom: "exact",
    zeroFirst: false,
    emptyBound: 0,
    leastRange: 0,
  };
  switch (scheme) {
    case "compressed-tensors":
      return {
        ...half,
        scaleTypes: [storage],
        zeroScale: EPSILON[storage],
        codesFrom: "stored",
        zeroFirst: true,
      };
    case "gptq-int":
      return { ...half, emptyBound: 1 };
    case "awq-int":
      return { ...half, leastRange: AWQ_LEAST_RANGE };
    default:
      return {
        ...half,
        symmetricSteps: 2 ** (bits - 1) - 1,
        smallest: 1,
        scaleTypes: ["F16"],
        codesFrom: "stored",
      };
  }
}
