import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { MetadataEntry } from "#engine/checkpoint/gguf/metadata.ts";
import { TOKENIZER_KEYS as KEY } from "#engine/checkpoint/gguf/tokenTypes.ts";
import { TEMPLATE_FOLDER } from "../sideFiles.ts";

/** A chat template and what it is for; `default` is used where nobody asks for another. */
const namedTemplate = z.object({ name: z.string(), template: z.string() });
type NamedTemplate = z.infer<typeof namedTemplate>;

const DEFAULT = "default";
const TEMPLATE_FILE = "chat_template.jinja";
const OLDER_FILE = "chat_template.json";
const ENDING = ".jinja";
const MAX_BYTES = 1024 * 1024;
const MAX_TEMPLATES = 100;

/**
 * A checkpoint's chat templates. Files beside tokenizer_config.json go before what it says of the same name, as in transformers:
 * chat_template.jinja, and a folder of further ones, each named after its file; an older JSON file comes last of all. Files that are
 * larger than a template is are passed over.
 */
export async function readChatTemplates(folder: string, configured: unknown): Promise<NamedTemplate[]> {
  const file = await textOf(join(folder, TEMPLATE_FILE));
  const all = [
    ...templatesIn(await olderTemplate(folder)),
    ...templatesIn(configured),
    ...templatesIn(file),
    ...(await templatesInFolder(join(folder, TEMPLATE_FOLDER))),
  ];
  return [...new Map(all.map((each) => [each.name, each])).values()];
}

/** Metadata under the keys that llama.cpp's converter gives: a name's other characters than letters and digits become `_`. */
export function chatTemplateEntries(templates: readonly NamedTemplate[]): [string, MetadataEntry][] {
  const byKey = new Map(templates.map(({ name, template }) => [name.replace(/[^a-z\d]/gi, "_"), template]));
  const standard = byKey.get(DEFAULT);
  byKey.delete(DEFAULT);
  byKey.delete("");
  const names = [...byKey.keys()].sort();
  const text = (value: string | readonly string[]): MetadataEntry => ({ type: "string", value });
  const entries: [string, MetadataEntry][] = names.map((name) => [
    `${KEY.chatTemplate}.${name}`,
    text(byKey.get(name) ?? ""),
  ]);
  if (names.length > 0) entries.push([KEY.chatTemplates, text(names)]);
  if (standard !== undefined) entries.push([KEY.chatTemplate, text(standard)]);
  return entries;
}

function templatesIn(value: unknown): NamedTemplate[] {
  if (typeof value === "string") return [{ name: DEFAULT, template: value }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((each) => {
    const named = namedTemplate.safeParse(each);
    return named.success ? [named.data] : [];
  });
}

async function olderTemplate(folder: string): Promise<unknown> {
  const text = await textOf(join(folder, OLDER_FILE));
  if (text === null) return null;
  try {
    return z.looseObject({ chat_template: z.unknown() }).parse(JSON.parse(text)).chat_template;
  } catch {
    return null;
  }
}

async function templatesInFolder(folder: string): Promise<NamedTemplate[]> {
  const files = await readdir(folder).catch((): string[] => []);
  const found = await Promise.all(
    files
      .filter((file) => file.endsWith(ENDING))
      .sort()
      .slice(0, MAX_TEMPLATES)
      .map(async (file) => ({
        name: file.slice(0, -ENDING.length),
        template: await textOf(join(folder, file)),
      })),
  );
  return found.flatMap(({ name, template }) => (template === null ? [] : [{ name, template }]));
}

async function textOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true && found.size <= MAX_BYTES ? readFile(path, "utf8") : null;
}
