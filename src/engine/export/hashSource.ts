import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { Checkpoint } from "#engine/checkpoint/types.ts";
import type { FileSystem } from "./fileSystem.ts";
import type { WrittenFile } from "./outputFile.ts";
import { onDisk } from "./diskErrors.ts";

/**
 * SHA-256 of one weight file of the source, so that an export names exactly what it was made of.
 * @param advance told of every chunk
 * @throws KeystoneError checkpoint/changed where the file is no longer as long as when it was opened
 */
export async function hashShard(
  fileSystem: FileSystem,
  checkpoint: Checkpoint,
  file: string,
  advance: (bytes: number) => Promise<void>,
): Promise<WrittenFile> {
  const isFile = (await fileSystem.stat(checkpoint.path))?.kind === "file";
  const path = join(isFile ? dirname(checkpoint.path) : checkpoint.path, file);
  const hash = createHash("sha256");
  let bytes = 0;
  await onDisk({ doing: `reading ${file} of the checkpoint`, path }, async () => {
    for await (const chunk of fileSystem.read(path)) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      await advance(chunk.byteLength);
    }
  });
  const expected = checkpoint.shards.find((shard) => shard.file === file)?.bytes ?? bytes;
  if (bytes === expected) return { path: file, bytes, sha256: hash.digest("hex") };
  throw new KeystoneError(
    "checkpoint/changed",
    `${file} holds ${bytes} bytes, but it held ${expected} when the checkpoint was opened.`,
    "Something changed the file meanwhile: restore it and open the checkpoint again.",
    { file, bytes, expected },
  );
}
