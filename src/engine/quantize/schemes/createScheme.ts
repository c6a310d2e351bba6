import type { SchemeName } from "#shared/recipe.ts";
import type { Scheme, SchemeFactory, PackedConstants } from "./scheme.ts";
import { ggufAffineScheme } from "./ggufAffine.ts";
import { ggufSignedScheme } from "./ggufSigned.ts";
import { integerScheme } from "./integer.ts";
import { matMulNBitsScheme } from "./matMulNBits.ts";
import { normalFloatScheme } from "./normalFloat.ts";
import { normalFloatMinMaxScheme } from "./normalFloatMinMax.ts";
import { q8Scheme } from "./q8.ts";
import { withoutCodes } from "./withoutCodes.ts";
import { affineScheme } from "./affine.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

const FACTORIES: Readonly<Record<SchemeName, SchemeFactory>> = {
  affine: affineScheme,
  int: integerScheme,
  nf4: normalFloatScheme,
  nf3: normalFloatScheme,
  "nf4-minmax": normalFloatMinMaxScheme,
  "nf3-minmax": normalFloatMinMaxScheme,
  q4_0: ggufSignedScheme,
  q4_1: ggufAffineScheme,
  q5_0: ggufSignedScheme,
  q5_1: ggufAffineScheme,
  q8_0: q8Scheme,
  "compressed-tensors": integerScheme,
  "gptq-int": integerScheme,
  "awq-int": integerScheme,
  matmulnbits: matMulNBitsScheme,
  f16: withoutCodes,
  bf16: withoutCodes,
};

/** The scheme of a plan, with room for `blocks` blocks, or reading packed constants. */
export function createScheme(plan: TensorPlan, blocks: number, packed?: PackedConstants): Scheme {
  return FACTORIES[plan.scheme](plan, blocks, packed);
}
