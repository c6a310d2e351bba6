import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readTokenizerFiles, tokenizerOf } from "#engine/tokenizer/tokenizerFiles.ts";
import { renderChat } from "./renderChat.ts";

const GOLDEN = join(import.meta.dirname, "../../../../test/golden");

const message = z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() });
const golden = z
  .object({
    templates: z.record(z.string(), z.string()),
    conversations: z.record(z.string(), z.array(message)),
    cases: z.array(
      z.object({
        template: z.string(),
        conversation: z.string(),
        text: z.string().optional(),
        ids: z.array(z.number()).optional(),
        refusal: z.string().optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(GOLDEN, "chat/golden.json"), "utf8")));

describe("a conversation in a chat template is what transformers makes of it", async () => {
  const files = await readTokenizerFiles(join(GOLDEN, "tokenizer/byte-level"));
  if (!files) throw new Error("the golden tokenizer is not there");
  const tokenizer = tokenizerOf(files);

  it.each(golden.cases)("$template: $conversation", ({ template, conversation, text, ids, refusal }) => {
    const render = (): string =>
      renderChat(
        { name: template, template: golden.templates[template] ?? "" },
        golden.conversations[conversation] ?? [],
        files,
      );
    if (refusal === undefined) {
      expect(render()).toBe(text);
      expect(tokenizer.encode(render())).toEqual(ids);
    } else expect(render).toThrow(`refuses the messages: ${refusal}.`);
  });
});

it("a template that is no template is refused by its name", () => {
  expect(() =>
    renderChat({ name: "broken", template: "{% for %}" }, [], { config: {}, specials: {} }),
  ).toThrow(/chat template "broken" cannot be read: .*\.$/);
});
