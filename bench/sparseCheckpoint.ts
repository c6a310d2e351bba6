import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { bytesOf, cutShards, headerBytes, tensorsOf, writeSideFiles, type Shape } from "./checkpointShape.ts";

const SHARD_BYTES = 5e9;

/**
 * Writes a checkpoint with valid headers whose weights are holes in the files: every value reads as 0 and next to
 * nothing lies on the disk.
 * @returns the names of its tensors
 */
export async function writeSparseCheckpoint(folder: string, shape: Shape): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const tensors = tensorsOf(shape);
  const shards = cutShards(tensors, SHARD_BYTES);
  for (const shard of shards) {
    const file = await open(join(folder, shard.file), "wx");
    try {
      const header = headerBytes(shard.tensors);
      await file.write(header);
      await file.truncate(shard.tensors.reduce((end, tensor) => end + bytesOf(tensor), header.length));
    } finally {
      await file.close();
    }
  }
  await writeSideFiles(folder, shape, shards);
  return tensors.map(({ name }) => name);
}
