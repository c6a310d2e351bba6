import type { SchemePlan } from "./scheme.ts";

/** Stands where such a scheme's codes are asked for, which it has not: a mistake in the program. */
export function withoutCodes(plan: SchemePlan): never {
  throw new Error(`The scheme ${plan.scheme} rounds each weight by itself and has no codes.`);
}
