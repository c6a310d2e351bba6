import { readdir } from "node:fs/promises";
import type { InventoryEntry, UnusedReason } from "#shared/inventory.ts";

/** What reads each file beside the weights. */
const READERS: readonly { readonly pattern: RegExp; readonly usedBy: string }[] = [
  { pattern: /^config\.json$/, usedBy: "equations" },
  { pattern: /^(?:tokenizer|tokenizer_config|special_tokens_map|added_tokens)\.json$/, usedBy: "tokenizer" },
  { pattern: /^generation_config\.json$/, usedBy: "generation" },
  { pattern: /^chat_template\.(?:jinja|json)$|^additional_chat_templates$/, usedBy: "generation" },
  {
    pattern: /^(?:quantize_config|quant_config)\.json$/,
    usedBy: "unpacking, where config.json does not say how",
  },
  { pattern: /^(?:README\.md|licen[cs]e.*|notice.*|use_policy.*)$/i, usedBy: "licence and name of exports" },
];

const REASONS: readonly { readonly pattern: RegExp; readonly reason: UnusedReason }[] = [
  {
    pattern: /^(?:tokenizer\.model|vocab\.(?:json|txt)|merges\.txt|.*\.tiktoken)$/,
    reason: { code: "other-form", text: "another form of the tokenizer; tokenizer.json is read" },
  },
  {
    pattern: /\.(?:safetensors|bin|pt|pth|ckpt|h5|msgpack|gguf|onnx)$|\.index\.json$/,
    reason: { code: "other-weights", text: "weights in other files than those that are read" },
  },
  { pattern: /\.py$/, reason: { code: "code", text: "code, which is never run" } },
  { pattern: /^\./, reason: { code: "hidden", text: "a hidden file" } },
];
const OTHER: UnusedReason = { code: "unknown", text: "no part of a model" };
/** A folder of a training run may hold thousands of files. */
const MAX_LISTED = 500;

/** The files that a tokenizer is read from where there is no tokenizer.json. */
function olderTokenizerFiles(names: readonly string[]): readonly string[] {
  if (names.includes("tokenizer.json")) return [];
  if (names.includes("tokenizer.model")) return ["tokenizer.model"];
  const pairs = ["vocab.json", "merges.txt"];
  return pairs.every((name) => names.includes(name)) ? pairs : [];
}

/**
 * Every file of a model's folder, with what reads it or why nothing does.
 * @param weights the files that the tensors lie in
 * @param passedOver files that another one was preferred to, and why
 */
export async function folderEntries(
  folder: string,
  weights: ReadonlySet<string>,
  passedOver: ReadonlyMap<string, UnusedReason> = new Map(),
): Promise<InventoryEntry[]> {
  const names = (await readdir(folder)).sort().slice(0, MAX_LISTED);
  const older = olderTokenizerFiles(names);
  return names.map((name): InventoryEntry => {
    if (weights.has(name)) return { name, kind: "file", usedBy: "tensors" };
    const passed = passedOver.get(name);
    if (passed) return { name, kind: "file", notUsedBecause: passed };
    const usedBy = READERS.find(({ pattern }) => pattern.test(name))?.usedBy;
    if (older.includes(name)) return { name, kind: "file", usedBy: "tokenizer" };
    if (usedBy !== undefined) return { name, kind: "file", usedBy };
    const reason = REASONS.find(({ pattern }) => pattern.test(name))?.reason ?? OTHER;
    return { name, kind: "file", notUsedBecause: reason };
  });
}
