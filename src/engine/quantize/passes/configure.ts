import { kernels, type Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { schemeKernels } from "../schemes/createScheme.ts";

type Asked = Pick<TensorPlan, "scheme" | "range">;

/** The kernels where they know how to judge by a plan; null sends it down the scalar path. */
export function kernelsFor({ scheme, range }: Asked): Kernels | null {
  const known = schemeKernels(scheme);
  return known === null || (!known.mse && range?.method === "mse") ? null : kernels();
}

/** The same where a plan's codes are asked for. */
export function codeKernelsFor(plan: Asked): Kernels | null {
  return schemeKernels(plan.scheme)?.codes ? kernelsFor(plan) : null;
}

/** Whether `settleSigns` has something to do, which needs whole blocks. */
export function hasOrderedConstants({ scheme }: Pick<TensorPlan, "scheme">): boolean {
  return schemeKernels(scheme)?.ordered ?? false;
}

/** Sets the kernels up for a plan's scheme and storage type; every tensor begins with it. */
export function configureKernels(module: Kernels, plan: TensorPlan): void {
  schemeKernels(plan.scheme)?.configure(module, plan);
}
