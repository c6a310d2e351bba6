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
  let at = 0;
  try {
    await fill(async (bytes) => {
      const writing = guard("writing", () => writeAll(file, bytes, at));
      // while another thread writes
      hash.update(bytes);
      await writing;
      at += bytes.byteLength;
    });
    await guard("flushing", () => file.sync());
  } catch (thrown) {
    // the first error is the one to tell; closing a broken file may well fail too
    await file.close().catch(() => null);
    throw thrown;
  }
  await guard("closing", () => file.close());
  return { path: name, bytes: at, sha256: hash.digest("hex") };
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
  const text = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  return writeFile(disk, name, join(disk.folder, name), (append) => append(text));
}
