import { dirname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import type { WrittenFile } from "#engine/files/output/outputFile.ts";
import { onDisk } from "#engine/files/output/diskErrors.ts";

/**
 * SHA-256 of the source's weight files, so that an export names exactly what it was made of. Files are hashed one after another
 * while their tensors are written.
 */
export class SourceHashes {
  private readonly fileSystem: FileSystem;
  private readonly checkpoint: Checkpoint;
  private readonly advance: (bytes: number) => Promise<void>;
  private readonly found = new Map<string, Promise<WrittenFile>>();
  private last: Promise<unknown> = Promise.resolve();
  private failed = false;
  private stopped = false;

  /** @param advance told of every piece */
  constructor(fileSystem: FileSystem, checkpoint: Checkpoint, advance: (bytes: number) => Promise<void>) {
    this.fileSystem = fileSystem;
    this.checkpoint = checkpoint;
    this.advance = advance;
  }

  /**
   * Begins to hash those of the files that were not named before.
   * @throws KeystoneError checkpoint/changed, and what went wrong with an earlier one
   */
  async begin(files: Iterable<string>): Promise<void> {
    for (const file of files) {
      if (this.found.has(file)) continue;
      // before its tensors are read, so that a file that was cut off is named as such
      const facts = await this.fileSystem.stat(await shardPath(this.fileSystem, this.checkpoint, file));
      if (facts) requireLength(this.checkpoint, file, facts.bytes);
      const hash = this.last.then(() => this.hash(file));
      hash.catch(() => (this.failed = true));
      this.found.set(file, hash);
      this.last = hash;
    }
    if (this.failed) await this.last;
  }

  /** All files that were begun, in their order. @throws KeystoneError export/…, checkpoint/changed */
  async all(): Promise<WrittenFile[]> {
    return Promise.all(this.found.values());
  }

  /** Ends what is going on and returns when nothing is. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.allSettled(this.found.values());
  }

  private async hash(file: string): Promise<WrittenFile> {
    if (this.stopped) throw stoppedError();
    return hashShard(this.fileSystem, this.checkpoint, file, async (bytes) => {
      if (this.stopped) throw stoppedError();
      await this.advance(bytes);
    });
  }
}

/** Never seen: the job has failed for another reason. */
function stoppedError(): Error {
  return new Error("the hashing of the source was stopped");
}

/**
 * SHA-256 of one weight file of the source.
 * @param advance told of every piece
 * @throws KeystoneError checkpoint/changed where the file is no longer as long as when it was opened
 */
async function hashShard(
  fileSystem: FileSystem,
  checkpoint: Checkpoint,
  file: string,
  advance: (bytes: number) => Promise<void>,
): Promise<WrittenFile> {
  const path = await shardPath(fileSystem, checkpoint, file);
  const { bytes, sha256 } = await onDisk({ doing: `reading ${file} of the checkpoint`, path }, () =>
    fileSystem.hash(path, advance),
  );
  requireLength(checkpoint, file, bytes);
  return { path: file, bytes, sha256 };
}

async function shardPath(fileSystem: FileSystem, { path }: Checkpoint, file: string): Promise<string> {
  const isFile = (await fileSystem.stat(path))?.kind === "file";
  return join(isFile ? dirname(path) : path, file);
}

function requireLength({ shards }: Checkpoint, file: string, bytes: number): void {
  const expected = shards.find((shard) => shard.file === file)?.bytes ?? bytes;
  if (bytes === expected) return;
  throw new KeystoneError(
    "checkpoint/changed",
    `${file} holds ${bytes} bytes, but it held ${expected} when the checkpoint was opened.`,
    "Something changed the file meanwhile: restore it and open the checkpoint again.",
    { file, bytes, expected },
  );
}
