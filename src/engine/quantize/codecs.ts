import type { CodecName } from "#shared/recipe.ts";
import type { Codec, CodecFactory, PackedConstants } from "./codec.ts";
import { intCodec } from "./int.ts";
import { normalFloatCodec } from "./normalFloat.ts";
import { normalFloatMinMaxCodec } from "./normalFloatMinMax.ts";
import { rtnCodec } from "./rtn.ts";
import type { TensorPlan } from "./types.ts";

const FACTORIES: Readonly<Record<CodecName, CodecFactory>> = {
  rtn: rtnCodec,
  int: intCodec,
  nf4: normalFloatCodec,
  nf3: normalFloatCodec,
  "nf4-minmax": normalFloatMinMaxCodec,
  "nf3-minmax": normalFloatMinMaxCodec,
};

/** The codec of a plan, with room for `blocks` blocks, or reading packed constants. */
export function createCodec(plan: TensorPlan, blocks: number, packed?: PackedConstants): Codec {
  return FACTORIES[plan.codec](plan, blocks, packed);
}
