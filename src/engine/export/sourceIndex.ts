import { join } from "node:path";
import { readJsonObject } from "#engine/checkpoint/jsonFile.ts";
import type { Checkpoint } from "#engine/checkpoint/types.ts";
import { INDEX_FILE } from "./planShards.ts";

const MAX_INDEX_BYTES = 100_000_000;

export const CONFIG_FILE = "config.json";
/** Files that say how a source's weights are packed: an export writes its own or none. */
export const PACKING_FILES: ReadonlySet<string> = new Set([
  CONFIG_FILE,
  "quantize_config.json",
  "quant_config.json",
  "genai_config.json",
]);

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
