import type { CodecName } from "#shared/recipe.ts";
import type { Codec, CodecFactory, PackedConstants } from "./codec.ts";
import { ggufAffineCodec } from "./ggufAffine.ts";
import { ggufSignedCodec } from "./ggufSigned.ts";
import { integerCodec } from "./integer.ts";
import { matMulNBitsCodec } from "./matMulNBits.ts";
import { normalFloatCodec } from "./normalFloat.ts";
import { normalFloatMinMaxCodec } from "./normalFloatMinMax.ts";
import { q8Codec } from "./q8.ts";
import { withoutCodes } from "./withoutCodes.ts";
import { rtnCodec } from "./rtn.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

const FACTORIES: Readonly<Record<CodecName, CodecFactory>> = {
  rtn: rtnCodec,
  int: integerCodec,
  nf4: normalFloatCodec,
  nf3: normalFloatCodec,
  "nf4-minmax": normalFloatMinMaxCodec,
  "nf3-minmax": normalFloatMinMaxCodec,
  q4_0: ggufSignedCodec,
  q4_1: ggufAffineCodec,
  q5_0: ggufSignedCodec,
  q5_1: ggufAffineCodec,
  q8_0: q8Codec,
  "compressed-tensors": integerCodec,
  gptq: integerCodec,
  awq: integerCodec,
  matmulnbits: matMulNBitsCodec,
  f16: withoutCodes,
  bf16: withoutCodes,
};

/** The codec of a plan, with room for `blocks` blocks, or reading packed constants. */
export function createCodec(plan: TensorPlan, blocks: number, packed?: PackedConstants): Codec {
  return FACTORIES[plan.codec](plan, blocks, packed);
}
