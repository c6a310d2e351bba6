import type { Note } from "#shared/notes.ts";
import type { InventoryEntry, UnusedReason } from "#shared/inventory.ts";
import type { MetadataReader } from "../layout/metadata.ts";
import { TOKENIZER_KEYS } from "../layout/tokenTypes.ts";

const TOKENIZER: ReadonlySet<string> = new Set(Object.values(TOKENIZER_KEYS));
const DESCRIPTION: UnusedReason = {
  code: "description",
  text: "a description for people and other programs",
};
const NOT_OF_FAMILY: UnusedReason = {
  code: "not-of-family",
  text: "no equation of this architecture here has such a setting",
};
const TOLD_BY_SHAPE: UnusedReason = { code: "told-by-shape", text: "the embeddings' own rows are counted" };
const NO_TOKENIZER: UnusedReason = {
  code: "not-of-tokenizer",
  text: "no rule of the tokenizer reads it here",
};
/** Ends of the names of settings that change the numbers of the architectures that have them. */
const BEARING =
  /softcapping$|(?:logit|residual|embedding|attention)[._]scale$|expert_(?:used_)?count$|clamp_kqv$|use_norm$/;

/**
 * Every key of a GGUF file's metadata, with what reads it or why nothing does.
 * @param reader which made the config
 */
export function metadataEntries(reader: MetadataReader): InventoryEntry[] {
  return [...reader.metadata.keys()].map((name): InventoryEntry => {
    if (TOKENIZER.has(name) || name.startsWith(`${TOKENIZER_KEYS.chatTemplate}.`))
      return {
        name,
        kind: "config",
        usedBy: reader.asked.has(name) ? "tokenizer and generation" : "tokenizer",
      };
    if (reader.asked.has(name)) return { name, kind: "config", usedBy: "equations" };
    if (name === "general.alignment" || name.startsWith("split."))
      return { name, kind: "config", usedBy: "layout of the file" };
    if (name.endsWith(".vocab_size")) return { name, kind: "config", notUsedBecause: TOLD_BY_SHAPE };
    const reason = name.startsWith("general.")
      ? DESCRIPTION
      : name.startsWith("tokenizer.")
        ? NO_TOKENIZER
        : NOT_OF_FAMILY;
    return { name, kind: "config", notUsedBecause: reason };
  });
}

/** Says which settings that other architectures compute with stand in the file and change nothing here. */
export function bearingMetadata(entries: readonly InventoryEntry[], file: string): Note[] {
  return entries
    .filter(
      (entry) =>
        "notUsedBecause" in entry &&
        entry.notUsedBecause.code === NOT_OF_FAMILY.code &&
        BEARING.test(entry.name),
    )
    .map(({ name }) => ({
      code: "config/no-equation",
      text: `${file} sets "${name}", which no equation here reads: it changes nothing.`,
    }));
}
