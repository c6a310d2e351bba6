import { DEFAULT_TEMPLATE, type NamedTemplate } from "../../tokens/chatTemplates.ts";
import type { MetadataEntry } from "../layout/metadata.ts";
import { TOKENIZER_KEYS as KEY } from "../layout/tokenTypes.ts";

/** Metadata under the keys that llama.cpp's converter gives: a name's other characters than letters and digits become `_`. */
export function chatTemplateEntries(templates: readonly NamedTemplate[]): [string, MetadataEntry][] {
  const byKey = new Map(templates.map(({ name, template }) => [name.replace(/[^a-z\d]/gi, "_"), template]));
  const standard = byKey.get(DEFAULT_TEMPLATE);
  byKey.delete(DEFAULT_TEMPLATE);
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
