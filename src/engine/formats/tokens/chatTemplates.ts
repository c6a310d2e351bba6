import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ggufChatTemplate, readGgufMetadata } from "../gguf/read/ggufTokenizer.ts";

/** A chat template and what it is for; `default` is used where nobody asks for another. */
const namedTemplate = z.object({ name: z.string(), template: z.string() });
export type NamedTemplate = z.infer<typeof namedTemplate>;

/** The name of the one that is used where nobody asks for another. */
export const DEFAULT_TEMPLATE = "default";
/** The only folder that transformers looks into beside the files of the top. */
export const TEMPLATE_FOLDER = "additional_chat_templates";
const TEMPLATE_FILE = "chat_template.jinja";
const OLDER_FILE = "chat_template.json";
const CONFIG_FILE = "tokenizer_config.json";
const ENDING = ".jinja";
const MAX_BYTES = 1024 * 1024;
/** A config lists every added token, of which some models have thousands. */
const MAX_CONFIG_BYTES = 64 * 1024 * 1024;
const MAX_TEMPLATES = 100;

/**
 * The chat templates of a model: those of its folder, or of its GGUF file where the folder has none. The default one comes first.
 * @param location folder or `.gguf` file
 * @throws KeystoneError gguf/…
 */
export async function findChatTemplates(location: string): Promise<NamedTemplate[]> {
  const own = await readChatTemplates(location, await configuredIn(location));
  const metadata = own.length > 0 ? null : await readGgufMetadata(location);
  const found = metadata ? templatesIn(ggufChatTemplate(metadata)) : own;
  return found.toSorted((a, b) => Number(b.name === DEFAULT_TEMPLATE) - Number(a.name === DEFAULT_TEMPLATE));
}

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

function templatesIn(value: unknown): NamedTemplate[] {
  if (typeof value === "string") return [{ name: DEFAULT_TEMPLATE, template: value }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((each) => {
    const named = namedTemplate.safeParse(each);
    return named.success ? [named.data] : [];
  });
}

async function olderTemplate(folder: string): Promise<unknown> {
  return templateOfJson(await textOf(join(folder, OLDER_FILE)));
}

/** What tokenizer_config.json says; a damaged one is reported where the tokenizer is loaded. */
async function configuredIn(folder: string): Promise<unknown> {
  return templateOfJson(await textOf(join(folder, CONFIG_FILE), MAX_CONFIG_BYTES));
}

function templateOfJson(text: string | null): unknown {
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

async function textOf(path: string, most = MAX_BYTES): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true && found.size <= most ? readFile(path, "utf8") : null;
}
