import type { Metadata } from "./metadata.ts";

/** Tokens that llama.cpp looks up in a model which it takes for Phi-3; it does not load one without them. */
export const PHI3_TOKENS = ["</s>", "<unk>", "<s>", "<|endoftext|>"] as const;
/** Of those, the ones that keep the blanks behind them. */
const KEEPING: ReadonlySet<string> = new Set(["<unk>", "<s>", "<|endoftext|>"]);

/** Whether llama.cpp takes the blanks behind a model's special tokens: a GGUF file cannot say it, so it goes by the model's name. */
export function stripsAsPhi3(metadata: Metadata): boolean {
  const name = metadata.get("general.name")?.value;
  return typeof name === "string" && /phi-?3/i.test(name);
}

/** True for a special token of such a model that takes the blanks behind it. */
export function takesBlanksBehind(token: string): boolean {
  return !KEEPING.has(token);
}
