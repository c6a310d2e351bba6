import { Template } from "@huggingface/jinja";
import { KeystoneError } from "#shared/errors.ts";
import { tokenContent, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import type { NamedTemplate } from "./chatTemplates.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** Special tokens that a template may name, as tokenizer_config.json calls them. */
const SPECIAL_TOKENS = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((name) => `${name}_token`);

/**
 * A conversation as the model reads it, ready for its answer: what transformers' `apply_chat_template` gives with
 * `add_generation_prompt`. The template puts the special tokens, BOS included; nothing is to be added when it is tokenised.
 * @throws KeystoneError chat/bad-template where it cannot be read, chat/refused where the template itself refuses the messages
 */
export function renderChat(
  { name, template }: NamedTemplate,
  messages: readonly ChatMessage[],
  { config, specials }: Pick<TokenizerFiles, "config" | "specials">,
): string {
  const parsed = guarded("bad-template", name, () => new Template(template));
  const named = SPECIAL_TOKENS.flatMap((key): [string, string][] => {
    const text = tokenContent(config[key]) ?? tokenContent(specials[key]);
    return text === null ? [] : [[key, text]];
  });
  return guarded("refused", name, () =>
    parsed.render({
      ...Object.fromEntries(named),
      messages: messages.map((message) => ({ ...message })),
      tools: null,
      documents: null,
      add_generation_prompt: true,
    }),
  );
}

/** The library throws plain errors, also for what a template raises itself. */
function guarded<T>(code: "bad-template" | "refused", name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
    throw new KeystoneError(
      `chat/${code}`,
      code === "refused"
        ? `The model's chat template "${name}" refuses the messages: ${reason}.`
        : `The model's chat template "${name}" cannot be read: ${reason}.`,
      "Continue the prompt without a template, or choose another one.",
      { template: name, reason },
      { cause },
    );
  }
}
