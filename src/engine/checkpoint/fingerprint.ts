import { createHash } from "node:crypto";
import type { TensorInfo } from "#shared/model.ts";

/** SHA-256 that changes whenever the config, a tensor's name, type, shape or place, or a file's size does. */
export function fingerprintOf(
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, TensorInfo>,
  shards: readonly { file: string; bytes: number }[],
): string {
  const hash = createHash("sha256").update(JSON.stringify([config, shards]));
  for (const { name, dtype, shape, file, begin, end } of tensors.values())
    hash.update(JSON.stringify([name, dtype, shape, file, begin, end]));
  return hash.digest("hex");
}
