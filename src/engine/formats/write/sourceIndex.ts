import { join } from "node:path";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { INDEX_FILE } from "#engine/checkpoint/shardFiles.ts";

const MAX_INDEX_BYTES = 100_000_000;

export const CONFIG_FILE = "config.json";
/** Files that say how a source's weights are packed: an export writes its own or none. */
export const PACKING_FILES: ReadonlySet<string> = new Set([
  CONFIG_FILE,
  "quantize_config.json",
  "quant_config.json",
  "hf_quant_config.json",
  "genai_config.json",
]);

/** As transformers cuts shards. */
const DEFAULT_SHARD_BYTES = 5e9;

/** Whether a source's weights lie in other files than safetensors, whose names and index no export can follow. */
export function isForeign({ shards }: Pick<Checkpoint, "shards">): boolean {
  return shards.some(({ file }) => !file.endsWith(".safetensors"));
}

/**
 * Largest data section of a shard in bytes; null = as the source is sharded.
 * @param asked what the person asked for; null = as the source is, where it has shards to follow
 */
export function shardLimit(source: Pick<Checkpoint, "shards">, asked: number | null): number | null {
  return asked ?? (isForeign(source) ? DEFAULT_SHARD_BYTES : null);
}

/**
 * Whether the source's config.json says something else than what model it is: how its weights are packed, in which files they lie,
 * or what its files contradict.
 */
export function rewritesConfig(source: Pick<Checkpoint, "shards" | "configRewritten">): boolean {
  return source.configRewritten === true || isForeign(source);
}

/** Whether a file of the source says how its own weights are stored, so that it would be wrong beside others. */
export function isStale(name: string, source: Pick<Checkpoint, "shards" | "configRewritten">): boolean {
  return PACKING_FILES.has(name) && (name !== CONFIG_FILE || rewritesConfig(source));
}

/** What an export carries along of the source's index; null where it has none. @throws KeystoneError checkpoint/bad-index */
export async function sourceIndex(
  checkpoint: Checkpoint,
): Promise<{ metadata: Record<string, unknown> } | null> {
  if (!checkpoint.sharded) return null;
  const { metadata } = await readJsonObject(join(checkpoint.path, INDEX_FILE), {
    maxBytes: MAX_INDEX_BYTES,
    badCode: "checkpoint/bad-index",
  });
  const isObject = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  return { metadata: isObject ? { ...metadata } : {} };
}
