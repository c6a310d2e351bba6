import { SCHEMES } from "#shared/schemes/index.ts";
import { codeKernelsFor, kernelsFor } from "../passes/configure.ts";
import { roundingPass } from "../passes/roundingPass.ts";
import { scalarPack } from "../passes/scalarPack.ts";
import { scalarPass } from "../passes/scalarPass.ts";
import { vectorPack } from "../passes/vectorPack.ts";
import { vectorPass } from "../passes/vectorPass.ts";
import type { Method } from "./method.ts";

/**
 * Round to nearest: hold-out, clip, range, and each weight to the nearest code by itself. Runs on SIMD kernels; the scalar path
 * gives the same bits where there is no SIMD, and the error where something is refused.
 */
export const rtn: Method = {
  codes(weights, plan, restored, out) {
    const vector = codeKernelsFor(plan);
    return (
      (vector && vectorPack(vector, weights, plan, restored, out)) ?? scalarPack(weights, plan, restored, out)
    );
  },
  roundTrip(weights, plan, out) {
    const { rounds } = SCHEMES[plan.scheme];
    if (rounds) return roundingPass(weights, plan, rounds, out);
    const vector = kernelsFor(plan);
    return (vector && vectorPass(vector, weights, plan, out)) ?? scalarPass(weights, plan, out);
  },
};
