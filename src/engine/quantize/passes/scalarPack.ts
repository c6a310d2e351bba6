import { blockEnd, blockLayout, blockStart, fromTileOrder } from "../plan/blockLayout.ts";
import { assertFinite } from "../plan/overflow.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { createScheme } from "../schemes/createScheme.ts";
import type { Codes } from "../schemes/scheme.ts";
import { blockFitter, needsWorkingCopy, prepareWeights } from "./blockPass.ts";
import { kernelsFor } from "./configure.ts";

/**
 * Codes and constants of one tensor, one weight at a time: the reference of the SIMD kernels, and what runs where there are none.
 * @param restored row-major indices, ascending
 * @param out receives the codes
 */
export function scalarPack(
  weights: Float32Array,
  plan: TensorPlan,
  restored: Uint32Array,
  out: Uint8Array,
): Codes {
  assertFinite(weights, plan);
  const layout = blockLayout(plan);
  const working = needsWorkingCopy(plan) ? new Float32Array(weights.length) : weights;
  const source = prepareWeights(weights, plan, restored, working);
  const scheme = createScheme(plan, layout.count);
  const fitter = blockFitter(scheme, plan, source, kernelsFor(plan));
  const codes = plan.granularity.kind === "tile" ? new Uint8Array(weights.length) : out;
  let clipped = 0;
  for (let block = 0; block < layout.count; block++) {
    const from = blockStart(layout, block);
    const to = blockEnd(layout, from);
    clipped += fitter.fit(block, from, to);
    scheme.encode(block, source, from, to, codes, from);
  }
  if (plan.granularity.kind === "tile") fromTileOrder(codes, plan, out);
  return { codes: out, constants: scheme.constants(), clipped };
}
