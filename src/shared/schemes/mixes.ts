import type { GgmlBlock, SchemeDescriptor } from "./descriptor.ts";
import { q3K, q4K, q5K } from "./superBlocks.ts";

/** llama.cpp's mix of that name: most tensors are of one type, those that matter most get more bits (`engine/recipe/ggufMix.ts`). */
function mix(
  name: string,
  base: SchemeDescriptor,
  { type, scheme }: { type: GgmlBlock; scheme: NonNullable<SchemeDescriptor["mix"]> },
): SchemeDescriptor {
  const [bits = 0] = base.bits;
  return {
    ...base,
    title: `GGUF ${name}`,
    offers: [{ section: "gguf-mixes", bits, symmetric: false }],
    ggml: () => type,
    mix: scheme,
  };
}

const three = { type: "Q3_K", scheme: "q3_k" } as const;
const four = { type: "Q4_K", scheme: "q4_k" } as const;
const five = { type: "Q5_K", scheme: "q5_k" } as const;

export const q3KS = mix("Q3_K_S", q3K, three);
export const q3KM = mix("Q3_K_M", q3K, three);
export const q3KL = mix("Q3_K_L", q3K, three);
export const q4KS = mix("Q4_K_S", q4K, four);
export const q4KM = mix("Q4_K_M", q4K, four);
export const q5KS = mix("Q5_K_S", q5K, five);
export const q5KM = mix("Q5_K_M", q5K, five);
