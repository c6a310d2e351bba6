import type { CodecPlan } from "./codec.ts";

/** Stands where such a codec's codes are asked for, which it has not: a mistake in the program. */
export function withoutCodes(plan: CodecPlan): never {
  throw new Error(`The codec ${plan.codec} rounds each weight by itself and has no codes.`);
}
