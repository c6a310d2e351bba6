import { pythonJson } from "../pythonJson.ts";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { FileSystem, WritableFile } from "./fileSystem.ts";
import { onDisk } from "./diskErrors.ts";
import { KeystoneError } from "#shared/errors.ts";

/** A file as it was written. */
export interface WrittenFile {
  /** Name inside the export's folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Appends bytes; they may be reused once the promise is fulfilled. */
export type Append = (bytes: Uint8Array) => Promise<void>;

/** How errors describe the disk while a file is written. */
export interface OutputDisk {
  readonly fileSystem: FileSystem;
  /** Folder that is written into. */
  readonly folder: string;
  /** Bytes the whole export needs. */
  readonly needed: number;
}

/**
 * Writes one new file front to back, hashing while it goes, and flushes it to the disk.
 * @param fill appends the content
 * @throws KeystoneError export/… for whatever the disk refuses; what `fill` throws passes as it is
 */
export async function writeFile(
  disk: OutputDisk,
  name: string,
  path: string,
  fill: (append: Append) => Promise<void>,
): Promise<WrittenFile> {
  const guard = <T>(doing: string, action: () => Promise<T>): Promise<T> =>
    onDisk(
      {
        doing: `${doing} ${basename(name)}`,
        path,
        needed: disk.needed,
        free: () => disk.fileSystem.freeBytes(disk.folder),
      },
      action,
    );
  const hash = createHash("sha256");
  const file = await guard("creating", () => disk.fileSystem.create(path));
  const flusher = new Flusher(() => guard("flushing", () => file.sync()));
  let at = 0;
  try {
    await fill(async (bytes) => {
      const writing = guard("writing", () => writeAll(file, bytes, at));
      // while another thread writes
      hash.update(bytes);
      await writing;
      at += bytes.byteLength;
      await flusher.wrote(bytes.byteLength);
    });
    await flusher.finish();
  } catch (thrown) {
    await flusher.settled();
    // the first error is the one to tell; closing a broken file may well fail too
    await file.close().catch(() => null);
    throw thrown;
  }
  await guard("closing", () => file.close());
  return { path: name, bytes: at, sha256: hash.digest("hex") };
}

/** Bytes after which a flush is begun while more is written: little is then left to wait for at the end. */
const FLUSHED_BYTES = 256 * 1024 * 1024;

/** Flushes a file from time to time, one flush at a time. */
class Flusher {
  private readonly flush: () => Promise<void>;
  private running: Promise<void> | null = null;
  private failed = false;
  private unflushed = 0;

  constructor(flush: () => Promise<void>) {
    this.flush = flush;
  }

  /** @throws what an earlier flush threw */
  async wrote(bytes: number): Promise<void> {
    if (this.failed) await this.running;
    this.unflushed += bytes;
    if (this.running || this.unflushed < FLUSHED_BYTES) return;
    this.unflushed = 0;
    this.running = this.flush();
    this.running.then(
      () => (this.running = null),
      () => (this.failed = true),
    );
  }

  /** Returns when all is on the disk. */
  async finish(): Promise<void> {
    await this.running;
    await this.flush();
  }

  /** Returns when no flush is running any more. */
  async settled(): Promise<void> {
    await this.running?.catch(() => null);
  }
}

/** Writes on until everything is written: a disk may take less than it is given. */
async function writeAll(file: WritableFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (!(written > 0)) {
      throw new KeystoneError(
        "export/write-failed",
        `The disk took none of ${bytes.byteLength - done} bytes and gave no reason.`,
        "Check the disk and export again, or choose another folder.",
        { left: bytes.byteLength - done },
      );
    }
    done += written;
  }
}

/** A small file of JSON, indented, with a line's end behind it. @throws KeystoneError export/… */
export async function writeJsonFile(disk: OutputDisk, name: string, value: unknown): Promise<WrittenFile> {
  return writeFile(disk, name, join(disk.folder, name), (append) => append(jsonBytes(value)));
}

/** JSON as such a file holds it. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${pythonJson(value, 2)}\n`);
}
