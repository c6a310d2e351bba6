import type { ReferenceJob } from "./reference.ts";
import type { Draft } from "./draft.ts";
import { Random } from "./random.ts";

const COUNT = 2;
const LENGTH = 24;

/** Random tokens of a draft's vocabulary, which no tokenizer has a part in; every one but the first of a window is scored. */
export function fixedWindows(seed: number, { meaning }: Draft): ReferenceJob["windows"] {
  const vocabulary = meaning.tensors.get("model.embed_tokens.weight")?.shape[0] ?? 0;
  const random = new Random(seed ^ 0x5eed);
  return Array.from({ length: COUNT }, () => {
    const ids = Array.from({ length: LENGTH }, () => random.below(vocabulary));
    return { ids, labels: [...ids.slice(1), -1] };
  });
}
