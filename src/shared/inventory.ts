import { z } from "zod";

/** What an entry of the inventory is: a tensor, a field of the config (or a GGUF file's metadata), a file of the folder. */
export const inventoryKind = z.enum(["tensor", "config", "file"]);
export type InventoryKind = z.infer<typeof inventoryKind>;

/** Why something stays out of the computation: a stable code for programs and a clause for people. */
export const unusedReason = z.object({ code: z.string(), text: z.string() });
export type UnusedReason = z.infer<typeof unusedReason>;

/** One thing that a checkpoint holds, by its stored name, with what reads it or why nothing does. */
export const inventoryEntry = z.union([
  z.object({
    name: z.string(),
    kind: inventoryKind,
    /** What reads it: `layer 3`, `the tokenizer`. */
    usedBy: z.string(),
  }),
  z.object({ name: z.string(), kind: inventoryKind, notUsedBecause: unusedReason }),
]);
export type InventoryEntry = z.infer<typeof inventoryEntry>;
export type UnusedEntry = Extract<InventoryEntry, { notUsedBecause: UnusedReason }>;

/** Everything that a checkpoint holds: tensors, config and files, each used or not used for a stated reason. */
export const inventory = z.array(inventoryEntry);
export type Inventory = readonly InventoryEntry[];

/** Entries of one kind that are not used for one reason, in the inventory's order. */
export interface UnusedGroup extends UnusedReason {
  readonly kind: InventoryKind;
  readonly names: readonly string[];
}

/** What is not used, gathered by kind and reason. */
export function unusedGroups(entries: Inventory): UnusedGroup[] {
  const groups = new Map<string, UnusedGroup & { names: string[] }>();
  for (const entry of entries) {
    if (!("notUsedBecause" in entry)) continue;
    const { kind, name, notUsedBecause } = entry;
    const key = JSON.stringify([kind, notUsedBecause]);
    const group = groups.get(key);
    if (group) group.names.push(name);
    else groups.set(key, { ...notUsedBecause, kind, names: [name] });
  }
  return [...groups.values()];
}

/** Names of a group as a line shows them: the first ones, and how many more. */
export function namesInLine({ names }: Pick<UnusedGroup, "names">, shown = 3): string {
  const rest = names.length - shown;
  return `${names.slice(0, shown).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

const KIND_WORDS = {
  tensor: ["tensor", "tensors"],
  config: ["config field", "config fields"],
  file: ["file", "files"],
} as const satisfies Record<InventoryKind, readonly [string, string]>;

/** `291 of 293 tensors, 17 of 24 config fields and 5 of 6 files are used`. */
export function inventorySentence(entries: Inventory): string {
  const parts = inventoryKind.options.flatMap((kind) => {
    const { used, unused } = inventoryCounts(entries, kind);
    const all = used + unused;
    const [one, many] = KIND_WORDS[kind];
    return all === 0 ? [] : [`${used === all ? "all" : used} of ${all} ${all === 1 ? one : many}`];
  });
  return `${new Intl.ListFormat("en").format(parts)} used`;
}

/** How many entries of a kind are used, and how many are not. */
export function inventoryCounts(entries: Inventory, kind: InventoryKind): { used: number; unused: number } {
  const own = entries.filter((entry) => entry.kind === kind);
  const unused = own.filter((entry) => "notUsedBecause" in entry).length;
  return { used: own.length - unused, unused };
}
