import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";

/** Bytes by half-open range. Parsers read these, never paths, so that a test hands them bytes made on the spot. */
export interface ByteSource {
  /** How errors name it: the file's name. */
  readonly name: string;
  readonly byteLength: number;
  /** Fills `target` with the bytes from `start` on. The range must lie inside the source. */
  readInto(target: Uint8Array, start: number): Promise<void>;
}

/** A source that holds something open. */
export interface ClosableSource extends ByteSource {
  close(): Promise<void>;
}

/** Bytes in memory as a source. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    readInto: async (target, start) => target.set(bytes.subarray(start, start + target.byteLength)),
  };
}

/** The bytes [start, end) of a source, in memory of their own. */
export async function readRange(source: ByteSource, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  await source.readInto(bytes, start);
  return bytes;
}

/**
 * A file as a source. The handle is opened by the first read and stays open until close().
 * @throws KeystoneError checkpoint/read-failed from a read that the disk refuses or that meets the end of a file
 *   which was longer when the checkpoint was opened; checkpoint/closed after close()
 */
export function fileSource(path: string, byteLength: number): ClosableSource {
  const name = basename(path);
  let opening: Promise<FileHandle> | null = null;
  let closed = false;

  async function readInto(target: Uint8Array, start: number): Promise<void> {
    if (closed) throw closedError(name);
    try {
      opening ??= open(path, "r");
      const handle = await opening;
      for (let done = 0; done < target.byteLength;) {
        const { bytesRead } = await handle.read(target, done, target.byteLength - done, start + done);
        if (bytesRead === 0) throw endedEarlyError(name, start + done, byteLength);
        done += bytesRead;
      }
    } catch (cause) {
      throw cause instanceof KeystoneError ? cause : readFailedError(name, cause);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    const handle = await opening?.catch(() => null);
    opening = null;
    await handle?.close();
  }

  return { name, byteLength, readInto, close };
}

function closedError(file: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/closed",
    `${file} was read after its checkpoint had been closed.`,
    "Open the checkpoint again.",
    { file },
  );
}

function endedEarlyError(file: string, at: number, expected: number): KeystoneError {
  return new KeystoneError(
    "checkpoint/read-failed",
    `${file} ends at byte ${at}, but it held ${expected} bytes when it was opened.`,
    "Something changed the file meanwhile: restore it and open the checkpoint again.",
    { file, at, expected },
  );
}

/** What the operating system said about a file, as one sentence. */
export function readFailedError(file: string, cause: unknown): KeystoneError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeystoneError(
    "checkpoint/read-failed",
    `${file} could not be read: ${reason}.`,
    "Check that the disk is connected and that you may read the file.",
    { file, reason },
    { cause },
  );
}
