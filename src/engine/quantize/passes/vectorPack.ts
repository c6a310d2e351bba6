import { blockLayout, fromTileOrder } from "../plan/blockLayout.ts";
import { prepareWeights } from "./blockPass.ts";
import type { Codes, PackedConstants } from "../schemes/scheme.ts";
import { createScheme } from "../schemes/createScheme.ts";
import { configureKernels } from "./configure.ts";
import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { forFittedPieces } from "./vectorBlocks.ts";

/**
 * Codes and constants of one tensor from the SIMD kernels: the same as one weight at a time (scalarPack.ts).
 * @param restored row-major indices, ascending
 * @param out receives the codes
 * @returns null where a weight is not finite or something overflows: the scalar path then says which
 */
export function vectorPack(
  kernels: Kernels,
  weights: Float32Array,
  plan: TensorPlan,
  restored: Uint32Array,
  out: Uint8Array,
): Codes | null {
  configureKernels(kernels, plan);
  const working =
    plan.excludeFromRange || plan.granularity.kind === "tile" ? new Float32Array(weights.length) : weights;
  // Clipping happens in the kernels.
  const source = prepareWeights(weights, { ...plan, range: null }, restored, working);
  const constants = createScheme(plan, blockLayout(plan).count).constants();
  const codes = plan.granularity.kind === "tile" ? new Uint8Array(weights.length) : out;
  let clipped = 0;
  let finite = true;
  const fits = forFittedPieces(kernels, plan, source, ({ begin, count, size, block }) => {
    finite &&= kernels.finite(count) !== 0;
    if (plan.range) clipped += kernels.countClipped(size, count);
    kernels.encodeBlocks(size, count);
    codes.set(kernels.codes.subarray(0, count), begin);
    keepConstants(kernels, constants, block, Math.ceil(count / size));
  });
  // a weight that is held out is not seen by the kernels
  if (!fits || !finite || !restored.every((index) => Number.isFinite(weights[index]))) return null;
  if (plan.granularity.kind === "tile") fromTileOrder(codes, plan, out);
  return { codes: out, constants, clipped };
}

/** Copies the constants of `count` blocks out of the kernels. */
function keepConstants(kernels: Kernels, constants: PackedConstants, block: number, count: number): void {
  const first = kernels.first.subarray(0, count);
  const second = kernels.second.subarray(0, count);
  switch (constants.kind) {
    case "offset":
      constants.low.set(first, block);
      constants.scale.set(second, block);
      return;
    case "integer":
      constants.scale.set(first, block);
      constants.zeroPoints.set(second, block);
      return;
    case "affine":
      constants.scale.set(first, block);
      constants.low.set(second, block);
      return;
    case "biased":
    case "levels":
    case "super-blocks":
      throw new TypeError(
        `schemes with constants of the kind ${constants.kind} have no kernel that gives codes`,
      );
  }
}
