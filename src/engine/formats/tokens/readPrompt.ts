import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import { leadWithBos } from "#engine/tokenizer/leadWithBos.ts";
import { findTokenizerFiles } from "./loadTokenizer.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { DEFAULT_TEMPLATE, findChatTemplates, type NamedTemplate } from "./chatTemplates.ts";
import { renderChat, type ChatMessage } from "./renderChat.ts";

export interface PromptRequest {
  readonly prompt: string;
  /** Name of a chat template, null for none; undefined = the model's default one where it has one. */
  readonly template?: string | null | undefined;
  /** A system message; only with a template. */
  readonly system?: string | undefined;
  /** What was said before, oldest first; only with a template. */
  readonly earlier?: readonly { readonly prompt: string; readonly answer: string }[] | undefined;
}

/** A prompt as the model reads it. */
export interface ReadPrompt {
  readonly rendered: string;
  /** Name of the template; null where none was used. */
  readonly template: string | null;
  /** As it is fed, BOS included. */
  readonly ids: readonly number[];
  /** What was done about BOS, where that is not plain to see. */
  readonly notes: readonly Note[];
}

/**
 * Brings a prompt into the model's chat template, where it has one and nobody asks otherwise, and to tokens. A template puts BOS
 * itself, as in transformers; a plain prompt gets it where the tokenizer puts one, and never twice.
 * @param location folder or `.gguf` file
 * @throws KeystoneError chat/no-such-template, chat/bad-template, chat/refused, chat/system-without-template, chat/without-template, tokenizer/…, gguf/…
 */
export async function readPrompt(
  location: string,
  tokenizer: Tokenizer,
  { prompt, template: asked, system, earlier = [] }: PromptRequest,
): Promise<ReadPrompt> {
  const template = asked === null ? null : chooseTemplate(await findChatTemplates(location), asked);
  if (!template) {
    if (system !== undefined) throw systemWithoutTemplate();
    if (earlier.length > 0) throw chatWithoutTemplate();
    const { ids, own } = leadWithBos(tokenizer, tokenizer.encode(prompt));
    const notes = own
      ? [{ code: "prompt/own-bos", text: "The prompt begins with BOS itself: none is added." }]
      : [];
    return { rendered: prompt, template: null, ids, notes };
  }
  const files = (await findTokenizerFiles(location)) ?? { config: {}, specials: {} };
  const messages: ChatMessage[] = [
    ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
    ...earlier.flatMap((turn) => [
      { role: "user" as const, content: turn.prompt },
      { role: "assistant" as const, content: turn.answer },
    ]),
    { role: "user", content: prompt },
  ];
  const rendered = renderChat(template, messages, files);
  const ids = tokenizer.encode(rendered);
  const bare = tokenizer.bos !== null && ids[0] !== tokenizer.bos;
  const notes = bare
    ? [
        {
          code: "prompt/no-bos",
          text: "The chat template begins without BOS, and none is added, as in transformers.",
        },
      ]
    : [];
  return { rendered, template: template.name, ids, notes };
}

/** Null where none is asked for and the model has none. */
function chooseTemplate(
  templates: readonly NamedTemplate[],
  asked: string | undefined,
): NamedTemplate | null {
  if (asked === undefined) return templates.at(0) ?? null;
  const found = templates.find(({ name }) => name === asked);
  if (found) return found;
  const names = templates.map(({ name }) => `"${name}"`).join(", ");
  throw new KeystoneError(
    "chat/no-such-template",
    asked === DEFAULT_TEMPLATE && templates.length === 0
      ? "The model has no chat template."
      : `The model has no chat template "${asked}".`,
    templates.length === 0 ? "Continue the prompt without one." : `It has ${names}.`,
    { template: asked },
  );
}

function systemWithoutTemplate(): KeystoneError {
  return new KeystoneError(
    "chat/system-without-template",
    "A system message needs a chat template, and none is used.",
    "Write it into the prompt, or choose a template of the model.",
  );
}

function chatWithoutTemplate(): KeystoneError {
  return new KeystoneError(
    "chat/without-template",
    "A conversation of several turns needs a chat template, and none is used.",
    "Choose a template of the model, or continue a single prompt.",
  );
}
