import type { SchemeImplementation, SchemePlan } from "./scheme.ts";

/** Stands where such a scheme's codes are asked for, which it has not: a mistake in the program. */
export const withoutCodes: SchemeImplementation = { create: refuse, kernels: null };

function refuse(plan: SchemePlan): never {
  throw new Error(`The scheme ${plan.scheme} rounds each weight by itself and has no codes.`);
}
