import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MetadataReader } from "#engine/formats/gguf/layout/metadata.ts";
import { ggufTokenizer } from "#engine/formats/gguf/read/ggufTokenizer.ts";
import { readChatTemplates } from "#engine/formats/tokens/chatTemplates.ts";
import { chatTemplateEntries } from "#engine/formats/gguf/write/chatTemplateEntries.ts";
import { tokenizerMetadata } from "#engine/formats/gguf/write/tokenizerMetadata.ts";
import { findTokenizerFiles } from "#engine/formats/tokens/loadTokenizer.ts";
import { DEMO } from "../studio/helpers.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "additional_chat_templates"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** Metadata of a folder's templates, as a plain object. */
async function entriesOf(
  files: Readonly<Record<string, string>>,
  configured?: unknown,
): Promise<Record<string, unknown>> {
  const templates = await readChatTemplates(await folderWith(files), configured);
  return Object.fromEntries(chatTemplateEntries(templates).map(([key, { value }]) => [key, value]));
}

describe("a GGUF file's chat templates", () => {
  it("are the one of chat_template.jinja, of tokenizer_config.json, or of the older JSON file, in transformers' order", async () => {
    const json = { "chat_template.json": '{"chat_template": "O"}' };
    expect(await entriesOf({ ...json, "chat_template.jinja": "J" }, "C")).toEqual({
      "tokenizer.chat_template": "J",
    });
    expect(await entriesOf(json, "C")).toEqual({ "tokenizer.chat_template": "C" });
    expect(await entriesOf(json)).toEqual({ "tokenizer.chat_template": "O" });
    expect(await entriesOf({ "chat_template.json": "{" })).toEqual({});
  });

  it("have the keys that gguf's own writer gives named ones, other characters as _", async () => {
    // as GGUFWriter.add_chat_template of gguf 0.19.0 writes them
    const configured = [
      { name: "default", template: "D" },
      { name: "tool use", template: "T" },
      { name: "rag", template: "R" },
      { name: "broken" },
    ];
    expect(await entriesOf({}, configured)).toEqual({
      "tokenizer.chat_template": "D",
      "tokenizer.chat_template.rag": "R",
      "tokenizer.chat_template.tool_use": "T",
      "tokenizer.chat_templates": ["rag", "tool_use"],
    });
  });

  it("come from the folder of further templates too, each before what the config says of its name", async () => {
    const more = {
      "additional_chat_templates/tools.jinja": "T",
      "additional_chat_templates/notes.txt": "never",
    };
    const configured = [
      { name: "default", template: "D" },
      { name: "tools", template: "never" },
    ];
    expect(await entriesOf(more, configured)).toEqual({
      "tokenizer.chat_template": "D",
      "tokenizer.chat_template.tools": "T",
      "tokenizer.chat_templates": ["tools"],
    });
  });

  it("that are longer than a template is are passed over", async () => {
    expect(await entriesOf({ "chat_template.jinja": "x".repeat(2 ** 20 + 1) })).toEqual({});
  });

  it("come back under their names in the tokenizer_config.json that is made of the file", async () => {
    const files = await findTokenizerFiles(DEMO);
    if (!files) throw new Error("the demo model has no tokenizer");
    const { entries } = tokenizerMetadata(files, 1024, {});
    const read = (templates: { name: string; template: string }[]): unknown => {
      const metadata = new Map([...entries, ...chatTemplateEntries(templates)]);
      return ggufTokenizer(new MetadataReader(metadata, "model.gguf"))?.config["chat_template"];
    };
    const one = [{ name: "default", template: "D" }];
    expect(read([])).toBeNull();
    expect(read(one)).toBe("D");
    expect(read([...one, { name: "rag", template: "R" }])).toEqual([...one, { name: "rag", template: "R" }]);
    expect(read([{ name: "rag", template: "R" }])).toEqual([{ name: "rag", template: "R" }]);
  });
});
