import { KeystoneError } from "#shared/errors.ts";
import { leadWithBos } from "#engine/tokenizer/leadWithBos.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";

/** The prompt's tokens in one form. */
export interface PromptForm {
  readonly ids: readonly number[];
  readonly bos: boolean;
}

/**
 * The prompt as the tokenizer leads it, and as it does not: with BOS taken away, or put in front where the tokenizer has one that it
 * does not add. A super activation may need BOS, or shun it.
 * @throws KeystoneError detect/empty-prompt, detect/prompt-too-long
 */
export function promptForms(tokenizer: Tokenizer, prompt: string, contextLength: number): PromptForm[] {
  const led = leadWithBos(tokenizer, tokenizer.encode(prompt));
  if (led.text.length === 0) {
    throw new KeystoneError(
      "detect/empty-prompt",
      "The prompt holds no token.",
      "Write a sentence of a few words.",
      { prompt },
    );
  }
  if (led.ids.length > contextLength) {
    throw new KeystoneError(
      "detect/prompt-too-long",
      `The prompt has ${led.ids.length} tokens, but the model has ${contextLength} positions.`,
      "Use a shorter prompt; one sentence is enough.",
      { tokens: led.ids.length, contextLength },
    );
  }
  const own = { ids: led.ids, bos: tokenizer.bos !== null };
  if (own.bos) return [own, { ids: led.text, bos: false }];
  const lead = tokenizer.prefix === tokenizer.eos ? null : tokenizer.prefix;
  if (lead === null || led.ids.length === contextLength) return [own];
  return [own, { ids: [lead, ...led.text], bos: true }];
}
