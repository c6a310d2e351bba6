import type { SchemeName } from "#shared/recipe.ts";
import type { PackedConstants, Scheme, SchemeImplementation, SchemeKernels, SchemePlan } from "./scheme.ts";
import { fp8 } from "./fp8.ts";
import { ggufAffine } from "./ggufAffine.ts";
import { ggufSigned } from "./ggufSigned.ts";
import { integer } from "./integer.ts";
import { matMulNBits } from "./matMulNBits.ts";
import { mlxAffine } from "./mlxAffine.ts";
import { normalFloatAbsmax } from "./normalFloat.ts";
import { normalFloatMinMax } from "./normalFloatMinMax.ts";
import { q8 } from "./q8.ts";
import { sixBits, threeBits } from "../superBlocks/oneConstant.ts";
import { superBlocks } from "./superBlocks.ts";
import { tableOfBlock, tableOfRuns } from "../superBlocks/tableValues.ts";
import { fiveBits, fourBits, twoBits } from "../superBlocks/twoConstants.ts";
import { affine } from "./affine.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

/** Stands where such a scheme's codes are asked for, which it has not: a mistake in the program. */
const withoutCodes: SchemeImplementation = {
  create: (plan: SchemePlan) => {
    throw new Error(
      `The scheme ${plan.scheme} has no codes: it rounds each weight by itself, or gives tensors other schemes.`,
    );
  },
  kernels: null,
};

const IMPLEMENTATIONS: Readonly<Record<SchemeName, SchemeImplementation>> = {
  affine,
  int: integer,
  nf4: normalFloatAbsmax,
  nf3: normalFloatAbsmax,
  "nf4-minmax": normalFloatMinMax,
  "nf3-minmax": normalFloatMinMax,
  fp8_e4m3: fp8,
  q4_0: ggufSigned,
  q4_1: ggufAffine,
  q5_0: ggufSigned,
  q5_1: ggufAffine,
  q8_0: q8,
  iq4_nl: superBlocks(tableOfBlock),
  q2_k: superBlocks(twoBits),
  q3_k: superBlocks(threeBits),
  q4_k: superBlocks(fourBits),
  q5_k: superBlocks(fiveBits),
  q6_k: superBlocks(sixBits),
  iq4_xs: superBlocks(tableOfRuns),
  q3_k_s: withoutCodes,
  q3_k_m: withoutCodes,
  q3_k_l: withoutCodes,
  q4_k_s: withoutCodes,
  q4_k_m: withoutCodes,
  q5_k_s: withoutCodes,
  q5_k_m: withoutCodes,
  "compressed-tensors": integer,
  "gptq-int": integer,
  "awq-int": integer,
  matmulnbits: matMulNBits,
  mlx: mlxAffine,
  f16: withoutCodes,
  bf16: withoutCodes,
};

/** The scheme of a plan, with room for `blocks` blocks, or reading packed constants. */
export function createScheme(plan: TensorPlan, blocks: number, packed?: PackedConstants): Scheme {
  return IMPLEMENTATIONS[plan.scheme].create(plan, blocks, packed);
}

/** The kernels of a scheme; null = it has none. */
export function schemeKernels(scheme: SchemeName): SchemeKernels | null {
  return IMPLEMENTATIONS[scheme].kernels;
}
